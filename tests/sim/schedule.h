// SPDX-License-Identifier: Apache-2.0
// Virtual time and what happens in it. Events at the same instant happen in the order they were put
// in, so a seed decides everything.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/time.h"
#include "engine/ports/clock.h"

namespace tests::sim {

class Schedule : public engine::ports::Clock {
 public:
  using Duration = engine::base::Duration;
  using Instant = engine::base::Instant;

  explicit Schedule(Instant start) : now_(start) {}

  Instant Now() override { return now_; }

  void At(Instant when, std::function<void()> event) {
    events_.emplace(std::make_pair(when < now_ ? now_ : when, counter_++), std::move(event));
  }
  void After(Duration delay, std::function<void()> event) { At(now_ + delay, std::move(event)); }

  /// Moves to the next event and performs it; false when there is none.
  bool RunOne() {
    if (events_.empty()) {
      return false;
    }
    auto node = events_.extract(events_.begin());
    CHECK(node.key().first >= now_);
    now_ = node.key().first;
    node.mapped()();
    return true;
  }

 private:
  Instant now_;
  std::uint64_t counter_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
};

}  // namespace tests::sim
