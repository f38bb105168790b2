// SPDX-License-Identifier: Apache-2.0
// The keeper's clock: microseconds that only grow, from an unknown beginning.
#pragma once

#include <cstdint>
#include <ctime>
#include <limits>

namespace executors::sandboxes {

/// A point of that clock which never comes.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

inline std::int64_t MonotonicMicros() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace executors::sandboxes
