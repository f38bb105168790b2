// SPDX-License-Identifier: Apache-2.0
#include "dsl/approval.h"

#include <algorithm>
#include <variant>

#include "dsl/compile.h"
#include "dsl/selection.h"

namespace dsl {
namespace {

namespace base = engine::base;
namespace model = engine::model;

bool IsGiven(const GivenDecision& given, const std::string& name) {
  return std::any_of(given.inputs.begin(), given.inputs.end(),
                     [&](const auto& input) { return input.first == name; });
}

base::StatusOr<std::vector<model::NamedValue>> ReadInputs(const model::Plan& plan,
                                                          std::vector<model::InputSpec> specs,
                                                          const GivenDecision& given) {
  std::erase_if(specs, [&](const model::InputSpec& input) {
    return input.required && !IsGiven(given, input.name);
  });
  ResolvedInputs resolved = ResolveInputs(plan, specs, "the approval", given.inputs);
  if (const auto* problems = std::get_if<std::vector<Diagnostic>>(&resolved)) {
    const Diagnostic& first = problems->front();
    return base::InvalidArgument("{}{}{}", first.message, first.hint.empty() ? "" : ": ",
                                 first.hint);
  }
  return std::get<std::vector<model::NamedValue>>(std::move(resolved));
}

}  // namespace

base::StatusOr<model::DecideApproval> ReadDecision(model::RunId run, const model::Plan& plan,
                                                   const GivenDecision& given) {
  ASSIGN_OR_RETURN(const std::vector<model::JobIndex> jobs, FindJobs(plan, given.job));
  if (jobs.size() != 1) {
    return base::InvalidArgument("{} has {} cells: name one, such as {}", given.job, jobs.size(),
                                 jobs.empty() ? "" : model::JobName(plan, jobs.front()));
  }
  model::DecideApproval decision;
  decision.run = run;
  decision.job = jobs.front();
  decision.approve = given.approve;
  decision.by = given.by;
  if (given.approve) {
    const auto& approval = model::RareOf(model::SpecOf(plan, decision.job)).approval;
    ASSIGN_OR_RETURN(
        decision.inputs,
        ReadInputs(plan, approval ? approval->inputs : std::vector<model::InputSpec>(), given));
  }
  return decision;
}

}  // namespace dsl
