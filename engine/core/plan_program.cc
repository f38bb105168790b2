// SPDX-License-Identifier: Apache-2.0
#include "engine/core/plan_program.h"

#include <algorithm>

#include "engine/expr/text_case.h"

namespace engine::core {
namespace {

bool ReadNeeds(const std::vector<expr::Reference>& references) {
  return std::any_of(references.begin(), references.end(), [](const expr::Reference& reference) {
    return !reference.path.empty() && (expr::EqualIgnoringCase(reference.path.front(), "needs") ||
                                       expr::EqualIgnoringCase(reference.path.front(), "jobs"));
  });
}

std::string ErrorText(std::string_view where, const expr::Error& error) {
  return fmt::format("{}: {}", where, error.message);
}

bool EvaluatesNothing(const model::JobSpec& spec) {
  return spec.condition.text.empty() &&
         std::none_of(spec.env.begin(), spec.env.end(),
                      [](const model::EnvVar& var) { return var.value.has_expression; });
}

std::unique_ptr<SpecProgram> ParseSpec(const model::JobSpec& spec) {
  auto program = std::make_unique<SpecProgram>();
  if (!spec.condition.text.empty()) {
    auto condition = expr::Expression::Parse(spec.condition.text);
    if (!condition.ok()) {
      program->error = ErrorText("if", condition.error());
      return program;
    }
    program->uses_needs = ReadNeeds(condition.value().References());
    program->condition = std::move(condition).value();
  }
  for (std::size_t i = 0; i < spec.env.size(); ++i) {
    if (!spec.env[i].value.has_expression) {
      continue;
    }
    auto text = expr::TemplateText::Parse(spec.env[i].value.text);
    if (!text.ok()) {
      program->error = ErrorText(fmt::format("env.{}", spec.env[i].name), text.error());
      return program;
    }
    program->uses_needs = program->uses_needs || ReadNeeds(text.value().References());
    program->env.emplace_back(i, std::move(text).value());
  }
  return program;
}

}  // namespace

PlanProgram::PlanProgram(model::PlanRef plan, std::shared_ptr<const graph::JobGraph> graph)
    : plan_(std::move(plan)), graph_(std::move(graph)), specs_(plan_->specs.size()) {
  std::vector<std::string_view> names(1, model::kDefaultPool);
  for (const model::JobSpec& spec : plan_->specs) {
    names.push_back(model::PoolOf(spec));
  }
  pools_.assign(names.begin() + (plan_->specs.empty() ? 0 : 1), names.end());
  std::sort(pools_.begin(), pools_.end());
  pools_.erase(std::unique(pools_.begin(), pools_.end()), pools_.end());
  for (std::size_t i = 1; pools_.size() > 1 && i < names.size(); ++i) {
    const auto found = std::lower_bound(pools_.begin(), pools_.end(), names[i]);
    pool_of_.push_back(static_cast<std::uint32_t>(found - pools_.begin()));
  }
}

base::StatusOr<std::shared_ptr<PlanProgram>> PlanProgram::Make(model::PlanRef plan) {
  if (plan == nullptr) {
    return base::InvalidArgument("there is no plan");
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const graph::JobGraph> graph, graph::JobGraph::Build(*plan));
  return std::shared_ptr<PlanProgram>(new PlanProgram(std::move(plan), std::move(graph)));
}

const SpecProgram& PlanProgram::Of(model::SpecIndex spec) {
  static const SpecProgram kNothing;
  if (EvaluatesNothing(plan_->specs[base::AsIndex(spec)])) {
    return kNothing;
  }
  std::unique_ptr<SpecProgram>& program = specs_[base::AsIndex(spec)];
  if (program == nullptr) {
    program = ParseSpec(plan_->specs[base::AsIndex(spec)]);
  }
  return *program;
}

}  // namespace engine::core
