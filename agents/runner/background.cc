// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/background.h"

#include <algorithm>

namespace agents::runner {

std::optional<engine::ports::Lane> LaneShelf::Take() {
  for (engine::ports::Lane lane = engine::model::kSegmentSlotMax; lane > kLowest; --lane) {
    if (taken_.insert(lane).second) {
      return lane;
    }
  }
  return std::nullopt;
}

std::string BackgroundFolder(const std::string& folder, engine::model::StepIndex step) {
  return folder + "/" + std::to_string(step.value() + 1);
}

SteadyTime NextDeadline(const BackgroundSteps& steps) {
  SteadyTime next = kNever;
  for (const auto& [index, step] : steps) {
    next = std::min({next, step.deadline, step.kill_at});
  }
  return next;
}

}  // namespace agents::runner
