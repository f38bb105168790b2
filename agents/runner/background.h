// SPDX-License-Identifier: Apache-2.0
// Steps that run beside the others in a slot: where each has its files and its lane, and when it is
// ended.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "agents/runner/attempt.h"
#include "agents/runner/steady_time.h"
#include "agents/runner/step_files.h"
#include "engine/model/ids.h"
#include "engine/model/log_segment.h"
#include "engine/ports/sandbox.h"

namespace agents::runner {

/// Which lanes are free: numbers from the top down, so that they never meet those of slots.
class LaneShelf {
 public:
  /// Nothing: all are taken.
  std::optional<engine::ports::Lane> Take();
  /// It is known to be in use.
  void Reserve(engine::ports::Lane lane) { taken_.insert(lane); }
  void Return(engine::ports::Lane lane) { taken_.erase(lane); }

 private:
  /// A run of so many slots leaves no room for lanes.
  static constexpr engine::ports::Lane kLowest = engine::model::kSegmentSlotMax / 2;
  std::set<engine::ports::Lane> taken_;
};

/// The folder of one such step, below that of all.
std::string BackgroundFolder(const std::string& folder, engine::model::StepIndex step);

struct BackgroundStep {
  engine::ports::Lane lane = 0;
  StepFiles files;
  Cut cut = Cut::kNone;
  SteadyTime deadline = kNever;  ///< its own timeout
  SteadyTime kill_at = kNever;   ///< when it must have ended
};

using BackgroundSteps = std::map<engine::model::StepIndex, BackgroundStep>;

SteadyTime NextDeadline(const BackgroundSteps& steps);

}  // namespace agents::runner
