// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/reuse_basis.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "agents/runner/references.h"
#include "engine/base/field_archive.h"
#include "engine/expr/text_case.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;

/// Goes up when what is written below changes, so that results of an older program do not stand.
constexpr std::uint8_t kVersion = 2;

class BasisWriter {
 public:
  explicit BasisWriter(std::string& out) : writer_(out) {}

  void Variables(const std::vector<model::NamedValue>& variables) {
    writer_.List(variables, [](base::FieldWriter& each, const model::NamedValue& variable) {
      each(variable.name);
      each(variable.value);
    });
  }
  void Variables(const std::vector<model::EnvVar>& variables) {
    writer_.List(variables, [](base::FieldWriter& each, const model::EnvVar& variable) {
      each(variable.name);
      each(variable.value.text);
    });
  }
  void Step(const model::StepSpec& step) {
    writer_(step.id);
    writer_(step.run.text);
    writer_(step.shell);
    writer_(step.workdir.text);
    Variables(step.env);
    writer_(step.condition.text);
    writer_(step.continue_on_error);
    writer_(step.effect_check.text);
    writer_(step.background);
  }
  void Steps(const std::vector<model::StepSpec>& steps) {
    writer_(static_cast<std::uint32_t>(steps.size()));
    for (const model::StepSpec& step : steps) {
      Step(step);
    }
  }
  void Results(const model::RareJobSettings& rare) {
    Variables(rare.outputs);
    writer_.List(rare.uploads, [](base::FieldWriter& each, const model::ArtifactUpload& upload) {
      each(upload.name);
      each(upload.paths);
    });
    writer_(rare.uploads_when);
    writer_(rare.junit_reports);
    writer_(rare.checkout.enabled);
  }
  void Text(const std::string& text) { writer_(text); }
  void Texts(const std::vector<std::string>& texts) { writer_(texts); }
  void Number(std::uint8_t number) { writer_(number); }

 private:
  base::FieldWriter writer_;
};

/// Follows from commands that stand in the basis, or must not stand there.
bool IsLeftOut(std::string_view context) {
  return expr::EqualIgnoringCase(context, "steps") || expr::EqualIgnoringCase(context, "env") ||
         expr::EqualIgnoringCase(context, "secrets");
}

std::string ValueAt(const std::vector<std::string>& path, const expr::Scope& scope) {
  const expr::Value* value = scope.Context(path.front());
  for (std::size_t i = 1; i < path.size() && value != nullptr; ++i) {
    value = value->Find(path[i]);
  }
  return value != nullptr ? value->ToJson() : std::string();
}

}  // namespace

std::string ReuseBasis(const CompiledSpec& spec, const model::Assignment& assignment,
                       const expr::Scope& scope) {
  const model::Plan& plan = *assignment.plan;
  std::string basis;
  BasisWriter writer(basis);
  writer.Number(kVersion);
  writer.Text(plan.name);
  writer.Text(spec.spec->name);
  writer.Texts(plan.jobs[base::AsIndex(assignment.job)].cell);
  writer.Steps(spec.spec->steps);
  writer.Steps(spec.rare->finally_steps);
  writer.Results(*spec.rare);
  if (assignment.run_env != nullptr) {
    writer.Variables(*assignment.run_env);
  }
  writer.Variables(assignment.context->extra_env);
  writer.Variables(spec.spec->env);
  writer.Variables(assignment.job_env);
  References references;
  for (const CompiledStep& step : spec.steps) {
    references.Of(step);
  }
  references.Of(spec.env);
  references.Of(spec.outputs);
  references.Of(spec.upload_names);
  for (const std::vector<std::string>& path : references.paths()) {
    if (!path.empty() && !IsLeftOut(path.front())) {
      writer.Texts(path);
      writer.Text(ValueAt(path, scope));
    }
  }
  return basis;
}

}  // namespace agents::runner
