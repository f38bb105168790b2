// SPDX-License-Identifier: Apache-2.0
// The engine's side of a worker: orders go out here, reports come back as `model::Input`s through
// the sink that the implementation was made with. Called on the engine's thread; never blocks.
#pragma once

#include <functional>

#include "engine/model/effect.h"
#include "engine/model/input.h"

namespace engine::ports {

/// Takes inputs for the inbox. May be called from any thread unless the implementation says
/// otherwise.
using InputSink = std::function<void(model::Input)>;

class AgentLink {
 public:
  virtual ~AgentLink() = default;
  /// Repeats (the same lease) are ignored, or answered with what is known of it.
  virtual void Dispatch(const model::Assignment& assignment) = 0;
  virtual void Stop(const model::StopAttempt& stop) = 0;
  /// Tells the worker to finish and leave. Nothing where a worker lives and dies with the engine.
  virtual void Drain(const model::DrainWorker& /*order*/) {}
};

}  // namespace engine::ports
