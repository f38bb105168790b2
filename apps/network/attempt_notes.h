// SPDX-License-Identifier: Apache-2.0
// What facts say of attempts that those who take their logs must know: whose an attempt is, which
// of its steps began, and how long the logs are that were reported. Pure, but for reading them
// back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "engine/base/status.h"
#include "engine/model/fact.h"
#include "engine/model/plan.h"
#include "engine/ports/run_store.h"

namespace apps::network {

struct AttemptNote {
  engine::model::WorkerId worker;
  bool has_ended = false;
  /// Steps that began: the length of the log (0: it is empty); nothing while they run, or when
  /// nobody will say.
  std::map<engine::model::StepIndex, std::optional<std::uint64_t>> steps;
};

struct RunNotes {
  engine::model::PlanRef plan;  ///< only of runs that were read back
  bool is_closed = false;
  std::map<engine::model::AttemptKey, AttemptNote> attempts;
};

/// Repeat-safe.
void Note(const engine::model::Fact& fact, RunNotes& notes);
/// Adds what was read back to what was noted meanwhile.
void Merge(const RunNotes& read, RunNotes& notes);

/// Those of `runs` that were ever accepted.
engine::base::StatusOr<std::map<engine::model::RunId, RunNotes>> ReadNotes(
    engine::ports::RunStore& store, const std::set<engine::model::RunId>& runs);

/// With those of `finally`.
std::uint32_t StepCount(const engine::model::JobSpec& spec);

}  // namespace apps::network
