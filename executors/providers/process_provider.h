// SPDX-License-Identifier: Apache-2.0
// `WorkerProvider` whose workers are agents on this machine, each in a folder of its own:
//
//   <folder>/<launch>/        made first, once: a launch is never repeated; until it is forgotten
//       agent/                the agent's own folder; what it holds of logs is brought to a server
//                             before the launch's folder goes
//       agent.log             what it prints
//       ended                 how it ended, if somebody saw it
//
// An agent carries its launch in its environment, so a provider that comes after a crash finds it.
// Its end is noticed by a pidfd; it counts as gone once nothing that it had started is alive, its
// keepers included.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/base/status.h"
#include "engine/ports/worker_provider.h"

namespace executors::providers {

struct ProcessProviderOptions {
  std::string folder;  ///< absolute; made when missing
  std::string program = "/proc/self/exe";
  /// Before these come none, behind them: `--server A --slots N --folder F`, and `--label L` for
  /// each label. The join token is on standard input.
  std::vector<std::string> arguments = {"agent", "--token", "-"};
  std::vector<std::string> env;  ///< `NAME=value`, besides PATH, HOME and LANG
  /// Called before the folder of an agent that is gone is removed, on a thread of its own; ends
  /// early once it is asked to stop. Not OK: the folder stays, and the launch is listed again.
  std::function<engine::base::Status(const std::string& agent_folder, const std::stop_token& stop)>
      salvage;
  /// Between asking an agent to end and killing it.
  std::chrono::milliseconds grace = std::chrono::seconds(10);
};

class ProcessProvider : public engine::ports::WorkerProvider {
 public:
  /// Finds the agents of earlier providers in the folder.
  static engine::base::StatusOr<std::unique_ptr<ProcessProvider>> Open(
      boost::asio::io_context& io, ProcessProviderOptions options);
  /// Agents go on.
  ~ProcessProvider() override;
  ProcessProvider(const ProcessProvider&) = delete;
  ProcessProvider& operator=(const ProcessProvider&) = delete;

  void Launch(const engine::ports::LaunchOrder& order, Done done) override;
  void Terminate(const engine::ports::LaunchId& launch, Done done) override;
  void Forget(const engine::ports::LaunchId& launch) override;
  void List(Listed listed) override;
  void Watch(Changed changed) override;

 private:
  class Core;
  explicit ProcessProvider(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  std::shared_ptr<Core> core_;
};

}  // namespace executors::providers
