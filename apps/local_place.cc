// SPDX-License-Identifier: Apache-2.0
#include "apps/local_place.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "engine/placement/fit.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

/// Jobs that run only if another fails, and those that need them.
std::vector<bool> AwaitFailure(const model::Plan& plan) {
  std::vector<bool> await(plan.specs.size(), false);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < plan.specs.size(); ++i) {
      const bool now =
          await[i] || std::ranges::any_of(plan.specs[i].needs, [&](const model::Need& need) {
            return need.on == model::NeedOn::kFailure ||
                   (need.on == model::NeedOn::kSuccess && await[base::AsIndex(need.spec)]);
          });
      changed = changed || now != await[i];
      await[i] = now;
    }
  }
  return await;
}

dsl::Diagnostic Refusal(const model::Plan& plan, const model::JobSpec& spec,
                        const model::WorkerOffer& offer) {
  const model::SourcePosition& at = spec.rare->place->at;
  dsl::Diagnostic refusal;
  refusal.code = "no-fitting-worker";
  refusal.message =
      fmt::format("the job `{}` cannot run here: this machine does not offer {}", spec.name,
                  fmt::join(engine::placement::MissingFrom(model::PlaceNeedOf(spec), offer), ", "));
  refusal.file = at.file < plan.files.size() ? plan.files[at.file] : "";
  refusal.line = at.line;
  refusal.column = at.column;
  refusal.end_line = at.line;
  refusal.end_column = at.column + 1;
  refusal.hint =
      "run it at a server that has such workers (`dayfly submit`), leave the job out with "
      "`--only`, "
      "or take the key out";
  return refusal;
}

}  // namespace

std::vector<dsl::Diagnostic> UnfitJobs(const model::Plan& plan,
                                       const std::vector<model::SpecIndex>& not_selected,
                                       const dsl::Event& event,
                                       const std::vector<model::NamedValue>& inputs,
                                       const model::WorkerOffer& offer) {
  std::vector<bool> unfit(plan.specs.size(), false);
  for (std::size_t i = 0; i < plan.specs.size(); ++i) {
    const bool selected =
        !std::ranges::binary_search(not_selected, model::SpecIndex(static_cast<std::uint32_t>(i)));
    unfit[i] = selected && !engine::placement::Fits(model::PlaceNeedOf(plan.specs[i]), offer);
  }
  if (std::ranges::none_of(unfit, [](bool each) { return each; })) {
    return {};
  }
  const std::vector<dsl::Activity> activities = dsl::JobActivities(plan, event, inputs);
  const std::vector<bool> await_failure = AwaitFailure(plan);
  std::vector<bool> certain(plan.specs.size(), false);
  for (std::size_t job = 0; job < plan.jobs.size(); ++job) {
    const std::size_t spec = base::AsIndex(plan.jobs[job].spec);
    const bool reached = activities[job].active && activities[job].reason.empty() &&
                         (!await_failure[spec] || plan.specs[spec].condition.decides_alone);
    certain[spec] = certain[spec] || reached;
  }
  std::vector<dsl::Diagnostic> refusals;
  for (std::size_t i = 0; i < plan.specs.size(); ++i) {
    if (unfit[i] && certain[i]) {
      refusals.push_back(Refusal(plan, plan.specs[i], offer));
    }
  }
  return refusals;
}

}  // namespace apps
