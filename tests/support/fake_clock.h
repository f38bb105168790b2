// SPDX-License-Identifier: Apache-2.0
// A clock that moves when told.
#pragma once

#include "engine/ports/clock.h"

namespace tests::support {

class FakeClock : public engine::ports::Clock {
 public:
  explicit FakeClock(
      engine::base::Instant now = engine::base::InstantFromMicros(1'700'000'000'000'000))
      : now_(now) {}
  engine::base::Instant Now() override { return now_; }
  void Advance(engine::base::Duration by) { now_ += by; }
  /// Also backwards, as real wall clocks go.
  void Set(engine::base::Instant now) { now_ = now; }

 private:
  engine::base::Instant now_;
};

}  // namespace tests::support
