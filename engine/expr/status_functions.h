// SPDX-License-Identifier: Apache-2.0
// The meaning of `success() failure() always() cancelled()`, for jobs (over their needs) and for
// steps (over the steps before them). Pure; callers translate their own statuses into these few
// facts.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "engine/expr/map_scope.h"

namespace engine::expr {

/// What the status functions look at.
struct StatusView {
  bool all_well = true;  ///< every need is satisfied; of a step: no step before it failed
  bool any_failed =
      false;  ///< a need, or an ancestor of one, failed or timed out; of a step: one before it did
  bool cancelled = false;  ///< the run was cancelled
};

/// One need as the job that needs it sees it.
struct NeedOutcome {
  /// Its end satisfies the edge (`on: success | failure | end`), by the table of the language page.
  /// An optional need that does not exist is satisfied.
  bool satisfied = true;
  /// It failed or timed out, or was skipped or cancelled because an ancestor of it did. Never for a
  /// tolerated failure.
  bool failed = false;
};

StatusView ViewOfNeeds(std::span<const NeedOutcome> needs, bool run_cancelled);
/// `failed`: a step before this one failed and that was not tolerated.
StatusView ViewOfSteps(bool failed, bool run_cancelled);

bool Success(const StatusView& view);    ///< the default `if`: all is well and nobody cancelled
bool Failure(const StatusView& view);    ///< something failed and nobody cancelled
bool Cancelled(const StatusView& view);  ///< the run was cancelled
inline bool Always(const StatusView& /*view*/) {
  return true;
}

/// The value of the function of that name (case does not matter); nothing for any other name.
std::optional<bool> CallStatusFunction(std::string_view name, const StatusView& view);

/// Gives `scope` the four functions.
void AddStatusFunctions(MapScope& scope, const StatusView& view);

}  // namespace engine::expr
