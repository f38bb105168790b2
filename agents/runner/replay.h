// SPDX-License-Identifier: Apache-2.0
// Brings an attempt to where the records of an earlier agent say it was, without running anything
// again. Pure but for what the attempt itself reads (secrets).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agents/runner/attempt.h"
#include "agents/runner/attempt_record.h"
#include "engine/base/status.h"

namespace agents::runner {

/// A background step whose end is not on record.
struct RunningBackground {
  StartCommand start;
  engine::ports::Lane lane = engine::ports::kOwnLane;
  SteadyMicros since = 0;
};

struct Replayed {
  /// The command whose end is not on record; then `next` means nothing.
  std::optional<StartCommand> running;
  SteadyMicros running_since = 0;
  std::vector<RunningBackground> background;
  std::uint64_t starts = 0;                              ///< commands on record
  std::optional<engine::model::StepIndex> last_started;  ///< of these
  /// Only background steps are left, and were told to end; then `next` means nothing.
  bool ending = false;
  /// These were asked for and not made; then `next` means nothing.
  std::optional<Closing> closing;
  NextAction next = AllOver{};
  bool left_over = false;  ///< processes may be left of commands that ended
  std::optional<SteadyMicros> budget_ends_at;
};

/// `records`: those behind `WorkspaceReadied`. `Internal`: they do not fit the attempt; nothing of
/// it can be resumed.
engine::base::StatusOr<Replayed> Replay(Attempt& attempt, std::span<const AttemptRecord> records);

}  // namespace agents::runner
