// SPDX-License-Identifier: Apache-2.0
// The table of needs (docs: "Meaning" in the language page): what the end of a need allows. Pure.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/state.h"
#include "engine/expr/status_functions.h"
#include "engine/model/effect.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"
#include "engine/model/status.h"

namespace engine::core {

/// All cells of `need` have ended; does that satisfy the edge? success: all ended well; failure: at
/// least one failed or timed out; end: always.
bool Satisfies(model::NeedOn on, const NodeState& need);

enum class NeedsVerdict : std::uint8_t {
  kMet,
  kFilteredOut,  ///< only an `on: failure` said no, and its need ended well
  kNotMet,
};

/// What the needs of a spec, all ended, say to it.
struct NeedsOutcome {
  NeedsVerdict verdict = NeedsVerdict::kMet;
  model::SpecIndex subject;  ///< the need that decided, unless met
  bool any_failed = false;   ///< one failed, or ended as it did because something before it failed
};
NeedsOutcome JudgeNeeds(const RunState& run, model::SpecIndex spec);

/// What `success()` and its like see.
expr::StatusView ViewOf(const RunState& run, const NeedsOutcome& needs);

/// The status of several jobs together: the worst of them; skipped when there are none.
model::Status WorstOf(std::span<const std::shared_ptr<const model::JobResult>> results);

/// Results of the written needs of `spec`, in their order, for expressions and for the worker.
std::vector<model::NeedResult> NeedResultsOf(const RunState& run, model::SpecIndex spec);

}  // namespace engine::core
