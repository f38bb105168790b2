// SPDX-License-Identifier: Apache-2.0
// Which worker gets the next attempt: the one with the least work for its size. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace engine::placement {

struct WorkerLoad {
  std::uint32_t assigned = 0;  ///< attempts it has, begun or not
  std::uint32_t slots = 0;
  std::uint32_t ahead_max = 0;  ///< attempts beyond its slots, a slot
};

/// `a` has less work for its size; any worker with a free slot goes before any without.
constexpr bool LessLoaded(const WorkerLoad& a, const WorkerLoad& b) {
  return static_cast<std::uint64_t>(a.assigned) * b.slots <
         static_cast<std::uint64_t>(b.assigned) * a.slots;
}

/// Room for one more when attempts may be given `ahead` deep.
constexpr bool HasRoom(const WorkerLoad& worker, std::uint32_t ahead) {
  const std::uint64_t each = 1 + static_cast<std::uint64_t>(std::min(ahead, worker.ahead_max));
  return worker.assigned < worker.slots * each;
}

}  // namespace engine::placement
