// SPDX-License-Identifier: Apache-2.0
// What shows that a service is ready, asked again and again: nobody tells when a port opens or an
// address answers. Used on the runner's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agents/runner/attempt.h"
#include "engine/base/status.h"
#include "engine/ports/sandbox.h"

namespace agents::runner {

/// Empty: it is so; else what is missing, as a clause: "nothing listens on port 5432".
using ReadyAnswer = std::function<void(std::string missing)>;

class ReadyCheck {
 public:
  virtual ~ReadyCheck() = default;
  /// Asks once; `answer` comes later or at once, unless this is destroyed before. Not while an
  /// answer is due.
  virtual void Ask(ReadyAnswer answer) = 0;
};

/// What checks need from who asks.
struct ReadyTools {
  boost::asio::io_context* io = nullptr;
  /// Runs one command of the service; at most one is asked for at a time.
  std::function<void(const std::string& script,
                     std::function<void(const engine::ports::CommandExit&)> done)>
      run;
  /// What the service has printed since the last call.
  std::function<std::string()> read_log;
};

/// One for each condition. `InvalidArgument`: an address or a pattern is none.
engine::base::StatusOr<std::vector<std::unique_ptr<ReadyCheck>>> MakeReadyChecks(
    const ReadyConditions& conditions, const ReadyTools& tools);

}  // namespace agents::runner
