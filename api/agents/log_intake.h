// SPDX-License-Identifier: Apache-2.0
// Where the log bytes of agents' streams go: past the engine, on gRPC's threads. What is behind it
// checks that the attempt is the worker's; the messages themselves were checked
// (`wire::CheckLogMessage`).
#pragma once

#include <functional>

#include "api/wire/agent.pb.h"
#include "engine/model/ids.h"

namespace api::agents {

class LogIntake {
 public:
  /// Says something about a log to the agent. Any thread, any number of times; once the stream has
  /// ended nothing happens.
  using Answer = std::function<void(dayfly::v1::LogAcknowledged)>;

  virtual ~LogIntake() = default;

  /// One stream's messages come in order, one at a time. The next one is read when this returns, so
  /// waiting here is how a slow disk slows the agent down.
  virtual void OnBatch(engine::model::WorkerId worker, const dayfly::v1::LogBatch& batch,
                       const Answer& answer) = 0;
  virtual void OnEnd(engine::model::WorkerId worker, const dayfly::v1::LogEnd& end,
                     const Answer& answer) = 0;
};

}  // namespace api::agents
