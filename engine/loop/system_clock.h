// SPDX-License-Identifier: Apache-2.0
// The real `Clock`: wall clock at start, advanced by the monotonic clock, re-aligned to the wall
// clock only forward. So it never goes back, whatever an administrator or NTP does.
#pragma once

#include "engine/ports/clock.h"

namespace engine::loop {

class SystemClock : public ports::Clock {
 public:
  SystemClock();
  base::Instant Now() override;

 private:
  base::Instant base_;  ///< wall time at `monotonic_base_`
  base::Duration monotonic_base_;
  base::Duration realign_after_;  ///< next look at the wall clock, monotonic
};

}  // namespace engine::loop
