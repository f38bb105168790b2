// SPDX-License-Identifier: Apache-2.0
#include "executors/providers/process_provider.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "executors/providers/agent_process.h"
#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/process_tree.h"
#include "tests/support/fake_provider.h"
#include "tests/support/faulty_provider.h"
#include "tests/support/temp_folder.h"
#include "tests/support/worker_provider_conformance.h"

namespace executors::providers {
namespace {

using engine::ports::LaunchPhase;
using engine::ports::WorkerProvider;
using ::testing::HasSubstr;
using ::testing::Not;

/// Real processes that do what an agent does as far as a provider can see: live until SIGTERM.
struct ProcessWorld {
  boost::asio::io_context io;
  tests::support::TempFolder folder;
  // It waits without starting another program, as an agent does.
  std::string script = "read line <> " + folder.File("never");

  ProcessWorld() { EXPECT_EQ(mkfifo(folder.File("never").c_str(), 0600), 0); }

  std::unique_ptr<WorkerProvider> Provide() {
    ProcessProviderOptions options;
    options.folder = folder.File("launches");
    options.program = "/bin/sh";
    options.arguments = {"-c", script};
    options.grace = std::chrono::milliseconds(100);
    auto opened = ProcessProvider::Open(io, std::move(options));
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  void EndWorker(const std::string& launch) const {
    // Between its start and its program it does not carry its name yet.
    auto agents = FindAgents(folder.File("launches"));
    while (!agents.contains(launch)) {
      agents = FindAgents(folder.File("launches"));
    }
    Signal(agents.at(launch), SIGKILL);
  }
  ~ProcessWorld() {
    for (const auto& [launch, process] : FindAgents(folder.File("launches"))) {
      Signal(process, SIGKILL);
      pollfd ended{.fd = process.fd.get(), .events = POLLIN, .revents = 0};
      poll(&ended, 1, -1);
    }
  }
};

struct FakeWorld {
  boost::asio::io_context io;
  tests::support::FakeCloud cloud;
  std::unique_ptr<WorkerProvider> Provide() {
    return std::make_unique<tests::support::FakeProvider>(io, cloud);
  }
  void EndWorker(const std::string& launch) { cloud.End(launch, "preempted"); }
};

/// Either of them behind a provider that fails, repeats and dawdles.
template <typename Inner>
struct FaultyWorld : Inner {
  engine::base::Random random{7};
  std::unique_ptr<WorkerProvider> Provide() {
    return std::make_unique<tests::support::FaultyProvider>(this->io, Inner::Provide(), [this] {
      return static_cast<tests::support::ProviderFault>(random.Below(5));
    });
  }
};

}  // namespace
}  // namespace executors::providers

namespace tests::support {
using Worlds =
    ::testing::Types<executors::providers::FakeWorld,
                     executors::providers::FaultyWorld<executors::providers::FakeWorld>,
                     executors::providers::ProcessWorld,
                     executors::providers::FaultyWorld<executors::providers::ProcessWorld>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, WorkerProviderConformance, Worlds);
}  // namespace tests::support

namespace executors::providers {
namespace {

class ProcessProviderTest : public ::testing::Test {
 protected:
  void RunUntil(const std::function<bool()>& done) {
    world_.io.restart();
    while (!done() && world_.io.run_one() > 0) {
    }
    ASSERT_TRUE(done());
  }
  void LaunchAndAwaitEnd() {
    provider_ = world_.Provide();
    provider_->Watch([this](const engine::ports::LaunchState& state) { last_ = state; });
    provider_->Launch(
        {.launch = "linux-1-1",
         .pool = "linux",
         .slots = 3,
         .join_token = "very.secret",
         .servers = {"a:1", "b:2"}},
        [](const engine::base::Status& status) { EXPECT_TRUE(status.ok()) << status; });
    RunUntil([this] { return last_.phase == LaunchPhase::kGone; });
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(world_.folder.File("launches/linux-1-1/" + name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  ProcessWorld world_;
  std::unique_ptr<WorkerProvider> provider_;
  engine::ports::LaunchState last_;
};

TEST_F(ProcessProviderTest, TheTokenComesOnStandardInputAlone) {
  world_.script = "cat; echo \"$0 $@\"; cat /proc/self/environ | tr '\\0' '\\n' >&2; exit 3";
  LaunchAndAwaitEnd();
  EXPECT_EQ(last_.cause, "exit code 3");
  const std::string log = Read("agent.log");
  EXPECT_TRUE(log.starts_with("very.secret\n--server a:1,b:2 --slots 3 --folder ")) << log;
  EXPECT_THAT(log.substr(12), Not(HasSubstr("secret"))) << "neither argument nor variable";
}

TEST_F(ProcessProviderTest, ASignalIsTheCause) {
  world_.script = "kill -9 $$";
  LaunchAndAwaitEnd();
  EXPECT_EQ(last_.cause, "killed by signal 9");
  EXPECT_EQ(Read("ended"), "killed by signal 9");
}

TEST_F(ProcessProviderTest, AnAgentThatDiedUnseenIsGoneOnceWhatItLeftIs) {
  const std::string mark = sandboxes::KeeperMark(world_.folder.File("launches/linux-1-1/agent"), 0);
  const std::string began = world_.folder.File("began");
  ASSERT_EQ(mkfifo(began.c_str(), 0600), 0);
  world_.script = fmt::format("env -i '{}' /bin/sh -c 'echo > {}; {}' & {}", mark, began,
                              world_.script, world_.script);
  provider_ = world_.Provide();
  bool launched = false;
  provider_->Launch({.launch = "linux-1-1", .pool = "linux", .join_token = "t", .servers = {"a"}},
                    [&](const engine::base::Status& status) { launched = status.ok(); });
  RunUntil([&] { return launched; });
  std::string line;
  std::getline(std::ifstream(began), line);
  provider_.reset();
  auto agents = FindAgents(world_.folder.File("launches"));
  const HeldProcess agent = std::move(agents.at("linux-1-1"));
  Signal(agent, SIGKILL);
  pollfd ended{.fd = agent.fd.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&ended, 1, -1), 1);
  EXPECT_EQ(sandboxes::ProcessesMarked(mark).size(), 1U);

  provider_ = world_.Provide();
  provider_->Watch([this](const engine::ports::LaunchState& state) { last_ = state; });
  provider_->List([&](const auto& states) {
    EXPECT_EQ(states->at(0).phase, LaunchPhase::kRunning);
    provider_->Forget("linux-1-1");  // which is too early
  });
  RunUntil([this] { return last_.phase == LaunchPhase::kGone; });
  EXPECT_EQ(last_.cause, "it ended unseen");
  EXPECT_TRUE(sandboxes::ProcessesMarked(mark).empty());
  EXPECT_EQ(Read("ended"), "it ended unseen");
}

TEST_F(ProcessProviderTest, WhoIgnoresTheRequestIsKilled) {
  world_.script = "trap '' TERM; " + world_.script;
  provider_ = world_.Provide();
  bool gone = false;
  provider_->Launch({.launch = "linux-1-1", .pool = "linux", .join_token = "t", .servers = {"a"}},
                    [&](const engine::base::Status&) {
                      provider_->Terminate("linux-1-1",
                                           [&](const engine::base::Status&) { gone = true; });
                    });
  RunUntil([&] { return gone; });
  EXPECT_TRUE(FindAgents(world_.folder.File("launches")).empty());
}

TEST_F(ProcessProviderTest, AProgramThatIsMissingCanNeverWork) {
  ProcessProviderOptions options;
  options.folder = world_.folder.File("launches");
  options.program = "/nowhere/dayfly";
  auto provider = ProcessProvider::Open(world_.io, std::move(options));
  ASSERT_TRUE(provider.ok());
  std::optional<engine::base::Status> answer;
  (*provider)->Launch({.launch = "linux-1-1", .pool = "linux", .join_token = "t", .servers = {}},
                      [&](engine::base::Status status) { answer = std::move(status); });
  RunUntil([&] { return answer.has_value(); });
  EXPECT_EQ(answer->code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace executors::providers
