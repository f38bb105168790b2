// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/system_clock.h"

#include <chrono>

namespace engine::loop {
namespace {

constexpr base::Duration kRealignEvery = std::chrono::seconds(1);

base::Duration Monotonic() {
  return std::chrono::duration_cast<base::Duration>(
      std::chrono::steady_clock::now().time_since_epoch());
}

base::Instant Wall() {
  return base::Instant(std::chrono::duration_cast<base::Duration>(
      std::chrono::system_clock::now().time_since_epoch()));
}

}  // namespace

SystemClock::SystemClock()
    : base_(Wall()),
      monotonic_base_(Monotonic()),
      realign_after_(monotonic_base_ + kRealignEvery) {}

base::Instant SystemClock::Now() {
  const base::Duration monotonic = Monotonic();
  const base::Instant now = base_ + (monotonic - monotonic_base_);
  if (monotonic < realign_after_) {
    return now;
  }
  realign_after_ = monotonic + kRealignEvery;
  const base::Instant wall = Wall();
  if (wall > now) {
    base_ = wall;
    monotonic_base_ = monotonic;
    return wall;
  }
  return now;
}

}  // namespace engine::loop
