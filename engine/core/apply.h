// SPDX-License-Identifier: Apache-2.0
// The only thing that changes the state: facts, copied into it. It evaluates no expression, policy,
// hash or default, so that a later release replays the same facts to the same state. Beside the
// copying it keeps counters and indexes (open needs, ready queue, deadlines, workers with room).
#pragma once

#include <vector>

#include "engine/core/state.h"
#include "engine/model/fact.h"
#include "engine/model/plan.h"

namespace engine::core {

/// A spec whose last open need has just ended.
struct Released {
  RunState* run = nullptr;
  model::SpecIndex spec;
};

/// `plan` is read for `RunAccepted` only, and only when the state does not know the plan yet; it
/// must be well formed. `released`, when not null, gets what the fact released.
/// A fact that the transition tables do not allow is a defect (CHECK).
void ApplyFact(State& state, const model::Fact& fact, const model::PlanRef& plan,
               std::vector<Released>* released);

}  // namespace engine::core
