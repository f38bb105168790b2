// SPDX-License-Identifier: Apache-2.0
// For tests: a run folder of their own, sandboxes with real keepers in it, and waiting for answers.
#pragma once

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <poll.h>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "engine/model/log_segment.h"
#include "executors/sandboxes/file_descriptor.h"
#include "executors/sandboxes/host_sandbox.h"

namespace executors::sandboxes {

/// A process that is held by a descriptor, so that its number cannot become another's.
class Held {
 public:
  explicit Held(pid_t pid) : fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  void AwaitEnd() const {
    pollfd poll_fd{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    while (poll(&poll_fd, 1, -1) != 1) {
    }
  }
  [[nodiscard]] bool ended() const {
    pollfd poll_fd{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, 0) == 1;
  }

 private:
  FileDescriptor fd_;
};

inline pid_t PidIn(const std::string& text) {
  return static_cast<pid_t>(std::stol(text));
}

class SandboxTest : public ::testing::Test {
 protected:
  SandboxTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-sandbox-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    run_ = folder_ + "/run";
    std::filesystem::create_directory(run_);
  }
  ~SandboxTest() override {
    sandbox_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  HostSandboxOptions Options(std::uint32_t slot = 0) const {
    return {.run_folder = run_, .slot = slot, .keeper_program = DAYFLY_KEEPER};
  }

  std::unique_ptr<engine::ports::Sandbox> Make(HostSandboxOptions options) {
    auto made = StartHostSandbox(io_, std::move(options));
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }
  engine::ports::Sandbox& sandbox() {
    if (!sandbox_) {
      sandbox_ = Make(Options());
    }
    return *sandbox_;
  }

  /// Serves handlers until `done`.
  void RunUntil(const std::function<bool()>& done) {
    io_.restart();
    while (!done() && io_.run_one() > 0) {
    }
  }

  engine::ports::Command Direct(std::vector<std::string> argv) const {
    return {
        .argv = std::move(argv), .env = {"PATH=/usr/bin:/bin", "T=" + folder_}, .workdir = folder_};
  }
  engine::ports::Command Shell(const std::string& script) const {
    return Direct({"/bin/sh", "-e", "-c", script});
  }

  engine::ports::CommandExit Run(engine::ports::Sandbox& sandbox,
                                 const engine::ports::Command& command) {
    std::optional<engine::ports::CommandExit> exit;
    sandbox.Start(command, [&](engine::ports::CommandExit e) { exit = std::move(e); });
    RunUntil([&] { return exit.has_value(); });
    return exit.value_or(engine::ports::CommandExit{});
  }
  engine::ports::CommandExit Run(const engine::ports::Command& command) {
    return Run(sandbox(), command);
  }
  engine::ports::CommandExit Run(const std::string& script) { return Run(Shell(script)); }

  engine::base::Status Prepare(engine::ports::Sandbox& sandbox,
                               const engine::ports::WorkspaceMount& mount) {
    std::optional<engine::base::Status> status;
    sandbox.PrepareWorkspace(mount, [&](engine::base::Status s) { status = std::move(s); });
    RunUntil([&] { return status.has_value(); });
    return status.value_or(engine::base::Internal("no answer"));
  }

  void KillAll(engine::ports::Sandbox& sandbox) {
    bool done = false;
    sandbox.KillAll([&] { done = true; });
    RunUntil([&] { return done; });
  }
  void KillAll() { KillAll(sandbox()); }

  /// The bytes of a log, straight from the segment files.
  std::string LogText(const engine::model::StepLog& log) const {
    std::string text;
    for (const auto& range : log.ranges) {
      std::ifstream file(run_ + "/logs/" + engine::model::SegmentFileName(range.segment),
                         std::ios::binary);
      std::string part(range.length, '\0');
      file.seekg(static_cast<std::streamoff>(range.offset));
      file.read(part.data(), static_cast<std::streamsize>(part.size()));
      part.resize(static_cast<std::size_t>(file.gcount()));
      text += part;
    }
    return text;
  }

  std::string Fifo(const std::string& name) const {
    const auto path = folder_ + "/" + name;
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  /// Waits until somebody opens the fifo for writing, writes and closes it; what was written.
  static std::string ReadFifo(const std::string& path) {
    const FileDescriptor fifo(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    char buffer[256];
    for (ssize_t bytes = 0; (bytes = read(fifo.get(), buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(bytes));
    }
    return text;
  }
  static void WriteFile(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string ReadFile(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  boost::asio::io_context io_;
  std::string folder_;
  std::string run_;

 private:
  std::unique_ptr<engine::ports::Sandbox> sandbox_;
};

}  // namespace executors::sandboxes
