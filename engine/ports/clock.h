// SPDX-License-Identifier: Apache-2.0
// The one place the loop reads time from. Real: wall clock at start, advanced by the monotonic
// clock, re-aligned only forward; so it never goes back. Fake: moves when told.
#pragma once

#include "engine/base/time.h"

namespace engine::ports {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual base::Instant Now() = 0;
};

}  // namespace engine::ports
