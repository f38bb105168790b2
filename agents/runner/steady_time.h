// SPDX-License-Identifier: Apache-2.0
// The clock that slots live by: the machine's monotonic one, which all its processes share.
#pragma once

#include <chrono>
#include <cstdint>

#include "engine/base/time.h"

namespace agents::runner {

using SteadyTime = std::chrono::steady_clock::time_point;
/// The same as a number that can be kept.
using SteadyMicros = std::int64_t;

inline constexpr SteadyTime kNever = SteadyTime::max();

inline SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

inline SteadyMicros MicrosOf(SteadyTime time) {
  return std::chrono::duration_cast<engine::base::Duration>(time.time_since_epoch()).count();
}

inline SteadyTime TimeOf(SteadyMicros micros) {
  return SteadyTime(
      std::chrono::duration_cast<SteadyTime::duration>(engine::base::Duration(micros)));
}

}  // namespace agents::runner
