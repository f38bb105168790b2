// SPDX-License-Identifier: Apache-2.0
// For tests: a sandbox whose programs are functions. It keeps the contract (answers come later, one
// command at a time) and remembers what it was asked.
#pragma once

#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "engine/ports/sandbox.h"

namespace agents::runner {

/// What is asked of all fake sandboxes of a test, in order.
struct FakeMachine {
  /// How a command ends; nothing: it runs until it is signalled.
  std::function<std::optional<engine::ports::CommandExit>(const engine::ports::Command&)> program =
      [](const engine::ports::Command&) { return engine::ports::CommandExit{}; };
  /// Whether the running command ends by this signal.
  std::function<bool(int)> dies_of = [](int) { return true; };
  engine::base::Status workspace;  ///< of every `PrepareWorkspace`
  std::vector<engine::ports::Command> commands;
  std::vector<engine::ports::WorkspaceMount> mounts;
  std::vector<int> signals;
  int kills = 0;
  int made = 0;
};

class FakeSandbox : public engine::ports::Sandbox {
 public:
  FakeSandbox(boost::asio::io_context& io, FakeMachine& machine) : io_(io), machine_(machine) {
    ++machine_.made;
  }

  engine::ports::SandboxFacts facts() const override {
    return {.workspace_kind = "fake", .workspace_path = path_, .workspace_view = path_};
  }
  void PrepareWorkspace(const engine::ports::WorkspaceMount& mount,
                        std::function<void(engine::base::Status)> done) override {
    machine_.mounts.push_back(mount);
    path_ = mount.path;
    Later([done = std::move(done), status = machine_.workspace] { done(status); });
  }
  void Start(const engine::ports::Command& command, ExitHandler done) override {
    EXPECT_FALSE(running_[command.lane]) << "one command at a time";
    machine_.commands.push_back(command);
    if (std::optional<engine::ports::CommandExit> exit = machine_.program(command)) {
      Later([done = std::move(done), exit = *std::move(exit)] { done(exit); });
    } else {
      running_[command.lane] = std::move(done);
    }
  }
  void Signal(engine::ports::Lane lane, int signal) override {
    machine_.signals.push_back(signal);
    ExitHandler& running = running_[lane];
    if (running && (signal == SIGKILL || machine_.dies_of(signal))) {
      Later([done = std::exchange(running, nullptr), signal] {
        done({.signal = signal, .signalled = true});
      });
    }
  }
  void KillAll(std::function<void()> done) override {
    ++machine_.kills;
    Later(std::move(done));
  }

 private:
  void Later(std::function<void()> call) {
    boost::asio::post(io_, [alive = std::weak_ptr<int>(alive_), call = std::move(call)] {
      if (!alive.expired()) {
        call();
      }
    });
  }

  boost::asio::io_context& io_;
  FakeMachine& machine_;
  std::string path_;
  std::map<engine::ports::Lane, ExitHandler> running_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace agents::runner
