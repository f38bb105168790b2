// SPDX-License-Identifier: Apache-2.0
// Answers what other terminals ask the process of a run (see `control.h`). On the engine's thread.
#pragma once

#include <functional>
#include <string_view>

#include "apps/control.h"
#include "apps/view/board.h"
#include "engine/loop/engine_loop.h"

namespace apps {

struct ControlParts {
  engine::loop::EngineLoop* loop = nullptr;
  const view::Board* board = nullptr;
  /// Tells the person in front of the run that somebody else cancelled it.
  std::function<void(std::string_view)> notice;
};

ControlServer::Handler MakeControlHandler(ControlParts parts);

/// One element of the answer's `jobs`: `{"job","status","reasons":[{"reason","message"}]}`.
std::string ExplainedJob(std::string_view job, engine::model::Status status,
                         const std::vector<engine::model::Reason>& reasons);

}  // namespace apps
