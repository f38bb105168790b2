// SPDX-License-Identifier: Apache-2.0
// How a run's plan grows: a job with `for_each` is written into the plan with one cell that holds
// no values, its placeholder. When its list is known, that cell becomes the first value's and the
// others are put behind all jobs there are, so that no number of a job ever changes. A plan stays
// immutable: growing makes another. Everybody who follows a run (the core, views, feeds, clients)
// grows its own by the same facts in the same order. Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/model/plan.h"
#include "engine/model/run_context.h"

namespace engine::model {

/// The job has a `for_each` and its list is not known yet.
bool AwaitsValues(const Plan& plan, const JobSpec& spec);

/// A value can go by this name: it is short and prints as it is.
bool IsValueName(std::string_view name);

/// `expansion` fits: it is of a placeholder, has a value, and its names are such.
bool CanExpand(const Plan& plan, const Expansion& expansion);

/// Takes time and memory in proportion to the plan. CHECKs `CanExpand`.
PlanRef Expand(const Plan& plan, const Expansion& expansion);

/// What made `grown` of the plan as it was written, in that order.
std::vector<Expansion> ExpansionsOf(const Plan& grown);

/// What a retry takes over from a run before.
struct CarriedOver {
  std::vector<Expansion> expanded;
  std::vector<CarriedJob> jobs;  ///< counted as in the plan that `expanded` makes
  bool all = false;              ///< nothing is left to do
};
/// Of `results`, which are of `run` and counted as in `grown`, those of jobs that ended well. One
/// that was carried over before keeps the name of the run it comes from. A list is taken over with
/// the jobs made from it, but only when all that had to end before its job is taken over, too:
/// otherwise it may come out differently. `written` is the plan before it grew.
CarriedOver CarryOver(const Plan& written, const Plan& grown, std::span<const CarriedJob> results,
                      RunId run);

}  // namespace engine::model
