// SPDX-License-Identifier: Apache-2.0
// How a worker in the engine's own process reports: in order, each again until it is answered.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "engine/base/random.h"
#include "engine/loop/sequencer.h"
#include "engine/model/input.h"
#include "tests/sim/faults.h"
#include "tests/sim/schedule.h"

namespace tests::sim {

struct DirectLineParts {
  Schedule* schedule = nullptr;
  engine::base::Random* random = nullptr;
  const Faults* faults = nullptr;
  std::function<bool()> alive;
  std::function<bool()> cut_off;
  /// Hands an input to the engine, when there is one; the reply is lost with the engine.
  std::function<void(engine::model::Input, engine::loop::Reply)> send;
};

class DirectLine {
 public:
  explicit DirectLine(DirectLineParts parts) : parts_(std::move(parts)) {}

  void Push(const engine::model::AttemptReported& report);
  bool empty() const { return outbox_.empty(); }

 private:
  void SendHead();

  DirectLineParts parts_;
  std::deque<engine::model::AttemptReported> outbox_;
  std::uint64_t head_sent_ = 0;  ///< how often the head was sent; older answers are void
};

}  // namespace tests::sim
