// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/compiled_spec.h"

namespace agents::runner {
namespace {

namespace expr = engine::expr;
namespace model = engine::model;

MaybeTemplate ParseText(const std::string& text, std::string& error) {
  expr::Result<expr::TemplateText> parsed = expr::TemplateText::Parse(text);
  if (!parsed.ok()) {
    error = error.empty() ? parsed.error().message : error;
    return std::nullopt;
  }
  return std::move(parsed).value();
}

MaybeTemplate ParseTemplate(const model::Template& text, std::string& error) {
  return text.has_expression ? ParseText(text.text, error) : std::nullopt;
}

std::vector<MaybeTemplate> ParseEnv(const std::vector<model::EnvVar>& env, std::string& error) {
  std::vector<MaybeTemplate> parsed;
  parsed.reserve(env.size());
  for (const model::EnvVar& variable : env) {
    parsed.push_back(ParseTemplate(variable.value, error));
  }
  return parsed;
}

CompiledStep CompileStep(const model::StepSpec& step) {
  CompiledStep compiled;
  if (!step.condition.text.empty()) {
    expr::Result<expr::Expression> condition = expr::Expression::Parse(step.condition.text);
    if (condition.ok()) {
      compiled.condition = std::move(condition).value();
    } else {
      compiled.error = condition.error().message;
    }
  }
  compiled.run = ParseTemplate(step.run, compiled.error);
  compiled.workdir = ParseTemplate(step.workdir, compiled.error);
  compiled.effect_check = ParseTemplate(step.effect_check, compiled.error);
  compiled.env = ParseEnv(step.env, compiled.error);
  return compiled;
}

}  // namespace

CompiledSpecRef CompileSpec(const model::PlanRef& plan, model::SpecIndex index) {
  auto compiled = std::make_shared<CompiledSpec>();
  compiled->plan = plan;
  compiled->spec = &plan->specs[engine::base::AsIndex(index)];
  compiled->rare = &model::RareOf(*compiled->spec);
  const std::size_t count = compiled->spec->steps.size() + compiled->rare->finally_steps.size();
  compiled->steps.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    compiled->steps.push_back(CompileStep(compiled->step(i)));
  }
  compiled->env = ParseEnv(compiled->spec->env, compiled->error);
  compiled->outputs = ParseEnv(compiled->rare->outputs, compiled->error);
  for (const model::ArtifactUpload& upload : compiled->rare->uploads) {
    const bool has_expression = upload.name.find("${{") != std::string::npos;
    compiled->upload_names.push_back(has_expression ? ParseText(upload.name, compiled->error)
                                                    : std::nullopt);
  }
  for (const model::ReadySpec& ready : compiled->rare->services) {
    CompiledReady& entry = compiled->services.emplace_back();
    entry.http = ParseTemplate(ready.http, entry.error);
    entry.command = ParseTemplate(ready.command, entry.error);
  }
  for (const model::CacheSpec& cache : compiled->rare->caches) {
    CompiledCache& entry = compiled->caches.emplace_back();
    entry.key = ParseTemplate(cache.key, entry.error);
    for (const model::Template& key : cache.restore_keys) {
      entry.restore_keys.push_back(ParseTemplate(key, entry.error));
    }
  }
  return compiled;
}

CompiledSpecRef SpecCache::Get(const model::PlanRef& plan, model::SpecIndex spec) {
  const auto key = std::make_pair(plan.get(), spec);
  if (const auto found = compiled_.find(key); found != compiled_.end()) {
    return found->second;
  }
  if (compiled_.size() >= kMost) {
    compiled_.clear();
  }
  return compiled_.emplace(key, CompileSpec(plan, spec)).first->second;
}

}  // namespace agents::runner
