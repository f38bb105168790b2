// SPDX-License-Identifier: Apache-2.0
// Which ready job goes first: higher priority, then the longer remaining path, then the one that
// was written first. Pure.
#pragma once

#include <compare>
#include <cstdint>

#include "engine/model/ids.h"

namespace engine::placement {

/// Smaller goes first. Packed, because ready queues hold 100,000 of them.
struct ReadyKey {
  std::uint64_t urgency = 0;
  model::JobIndex job;
  friend auto operator<=>(const ReadyKey&, const ReadyKey&) = default;
};

constexpr ReadyKey MakeReadyKey(std::int32_t priority, std::uint32_t rank, model::JobIndex job) {
  const std::uint32_t raised = static_cast<std::uint32_t>(priority) ^ 0x80000000U;
  const std::uint64_t high = static_cast<std::uint64_t>(~raised) << 32;
  return {.urgency = high | static_cast<std::uint32_t>(~rank), .job = job};
}

}  // namespace engine::placement
