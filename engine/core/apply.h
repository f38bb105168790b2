// SPDX-License-Identifier: Apache-2.0
// The only thing that changes the state: facts, copied into it. It evaluates no expression, policy,
// hash or default, so that a later release replays the same facts to the same state. Beside the
// copying it keeps counters and indexes (open needs, ready queue, deadlines, workers with room).
#pragma once

#include <set>
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

/// What a fact led to that the step under way must see to.
struct Consequences {
  std::vector<Released> released;
  std::set<model::GroupName> freed;  ///< somebody left the group, or its queue
};

/// `plan` is read for `RunAccepted` only, and only when the state does not know the plan yet; it
/// must be well formed. `consequences`, when not null, gets what follows from the fact.
/// A fact that the transition tables do not allow is a defect (CHECK).
void ApplyFact(State& state, const model::Fact& fact, const model::PlanRef& plan,
               Consequences* consequences);

}  // namespace engine::core
