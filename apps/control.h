// SPDX-License-Identifier: Apache-2.0
// How another terminal talks to the process of a run: `control.sock` in the run's folder, a Unix
// stream socket, 0600. One request a line, one answer a line, both JSON objects of at most 1 MiB:
//   {"do":"cancel","kill":false,"by":"ada"}   a second cancel kills, too; "kill":true kills at once
//   {"do":"explain","job":"unit[core]"}       without "job": every job that is not final
//   {"do":"approve","job":"deploy","approve":true,"by":"ada","inputs":{"note":"go"}}
//   {"do":"ping"}
// Answers: {"ok":true,…} or {"ok":false,"error":"…"}. To explain: "status" of the run and
// "jobs":[{"job","status","reasons":[{"reason","message"}]}], the most decisive reason first.
// Answers come when what was asked is durable.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "engine/base/status.h"
#include "engine/expr/value.h"

namespace apps {

class ControlServer {
 public:
  /// Called for each request; `reply` is called once, on the thread of the io_context.
  using Reply = std::function<void(std::string json)>;
  using Handler = std::function<void(const engine::expr::Value& request, Reply reply)>;

  /// Replaces a socket that a dead owner left: the caller holds the run's lock.
  static engine::base::StatusOr<std::unique_ptr<ControlServer>> Listen(
      boost::asio::io_context& io, const std::string& run_folder, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class Core;
  explicit ControlServer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

/// `{"ok":false,"error":…}`
std::string ControlError(std::string_view message);

/// Asks the process that owns the run and waits up to ten seconds. `Unavailable` when nobody
/// listens; `FailedPrecondition` with the answer's `error`.
engine::base::StatusOr<engine::expr::Value> AskRun(const std::string& run_folder,
                                                   const std::string& request_json);

}  // namespace apps
