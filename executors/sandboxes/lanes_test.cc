// SPDX-License-Identifier: Apache-2.0
// Commands that run beside others in a slot.
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/leftovers.h"
#include "executors/sandboxes/process_tree.h"
#include "executors/sandboxes/sandbox_fixture.h"

namespace executors::sandboxes {
namespace {

using engine::ports::Command;
using engine::ports::CommandExit;
using engine::ports::kOwnLane;
using engine::ports::Lane;

constexpr Lane kLane = 4000;
constexpr Lane kOtherLane = 3999;

class LanesTest : public SandboxTest, public ::testing::WithParamInterface<bool> {
 protected:
  LanesTest() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~LanesTest() override {
    ReapLeftovers(run_).IgnoreError();
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  HostSandboxOptions LaneOptions(bool outlives_owner = false) const {
    auto options = Options();
    options.allow_cgroup = GetParam();
    options.outlives_owner = outlives_owner;
    return options;
  }
  Command In(Lane lane, const std::string& script) const {
    Command command = Shell(script);
    command.lane = lane;
    return command;
  }
  /// Tells its number to `fifo`, and goes on until it is signalled.
  Command Sleeper(Lane lane, const std::string& fifo) const {
    return In(lane, "echo up; echo $$ > " + fifo + "; exec sleep 1000");
  }
  /// Starts a daemon outside its session that tells its number to `fifo`, and goes on.
  Command WithDaemon(Lane lane, const std::string& fifo, const std::string& daemon) const {
    return In(lane, "(setsid sh -c '" + daemon + "; echo $$ > " + fifo +
                        "; exec sleep 1000' &); exec sleep 1000");
  }
  CommandExit Await(engine::ports::Sandbox& sandbox, Lane lane) {
    std::optional<CommandExit> exit;
    sandbox.Await(lane, [&](CommandExit e) { exit = std::move(e); });
    RunUntil([&] { return exit.has_value(); });
    return exit.value_or(CommandExit{});
  }
  /// Starts `commands` in a process of its own, with a record kept, and ends it once `ready` did.
  void StartAndKillOwner(const std::vector<Command>& commands, const std::function<void()>& ready) {
    const auto options = LaneOptions(true);
    const pid_t owner = fork();
    if (owner == 0) {
      boost::asio::io_context io;
      auto sandbox = StartHostSandbox(io, options);
      (*sandbox)->Keep("a record", std::chrono::minutes(10));
      for (const Command& command : commands) {
        (*sandbox)->Start(command, [](const CommandExit&) {});
      }
      io.run();
      _exit(1);
    }
    ready();
    kill(owner, SIGKILL);
    waitpid(owner, nullptr, 0);
  }
};

INSTANTIATE_TEST_SUITE_P(, LanesTest, ::testing::Values(true, false), [](const auto& param) {
  return std::string(param.param ? "with_cgroup" : "without_cgroup");
});

TEST_P(LanesTest, RunsBesideTheSlotsOwnCommandsWithALogOfItsOwn) {
  const auto sandbox = Make(LaneOptions());
  const auto go = Fifo("go");
  std::optional<CommandExit> beside;
  sandbox->Start(In(kLane, "echo one; read x < " + go + "; echo two; exit 5"),
                 [&](CommandExit e) { beside = std::move(e); });
  EXPECT_EQ(LogText(Run(*sandbox, Shell("echo first")).log), "first\n");
  const CommandExit second = Run(*sandbox, Shell("echo x > " + go + "; echo second"));
  EXPECT_EQ(LogText(second.log), "second\n");
  EXPECT_EQ(second.leftover, 0U) << "what runs in lanes was not left behind";
  RunUntil([&] { return beside.has_value(); });
  EXPECT_TRUE(beside->started.ok()) << beside->started;
  EXPECT_EQ(beside->exit_code, 5);
  EXPECT_FALSE(beside->signalled);
  EXPECT_EQ(LogText(beside->log), "one\ntwo\n");
  EXPECT_EQ(engine::model::SegmentSlot(beside->log.ranges.at(0).segment), kLane);
}

TEST_P(LanesTest, SeesTheWorkspaceOfTheSlot) {
  const auto sandbox = Make(LaneOptions());
  const std::string tree = folder_ + "/tree";
  std::filesystem::create_directory(tree);
  WriteFile(tree + "/file", "from the tree\n");
  const auto status = Prepare(*sandbox, {.lower = tree, .path = run_ + "/ws"});
  ASSERT_TRUE(status.ok()) << status;
  Command command = In(kLane, "cat file; echo made > made");
  command.workdir = sandbox->facts().workspace_path;
  EXPECT_EQ(LogText(Run(*sandbox, command).log), "from the tree\n");
  Command own = Shell("cat made");
  own.workdir = command.workdir;
  EXPECT_EQ(LogText(Run(*sandbox, own).log), "made\n");
}

TEST_P(LanesTest, ASignalReachesAllOfItsLaneAndNobodyElse) {
  const auto sandbox = Make(LaneOptions());
  const auto daemon_up = Fifo("daemon");
  const auto other_up = Fifo("other");
  const auto own_up = Fifo("own");
  std::optional<CommandExit> beside;
  std::optional<CommandExit> other;
  std::optional<CommandExit> own;
  sandbox->Start(WithDaemon(kLane, daemon_up, ":"), [&](CommandExit e) { beside = std::move(e); });
  const Held daemon(PidIn(ReadFifo(daemon_up)));
  sandbox->Start(Sleeper(kOtherLane, other_up), [&](CommandExit e) { other = std::move(e); });
  sandbox->Start(Sleeper(kOwnLane, own_up), [&](CommandExit e) { own = std::move(e); });
  const Held other_command(PidIn(ReadFifo(other_up)));
  const Held own_command(PidIn(ReadFifo(own_up)));
  sandbox->Signal(kLane, SIGTERM);
  RunUntil([&] { return beside.has_value(); });
  daemon.AwaitEnd();
  EXPECT_EQ(beside->signal, SIGTERM);
  EXPECT_TRUE(beside->signalled);
  EXPECT_FALSE(other_command.ended());
  sandbox->Signal(kOwnLane, SIGTERM);
  RunUntil([&] { return own.has_value(); });
  EXPECT_EQ(own->signal, SIGTERM);
  EXPECT_FALSE(other_command.ended()) << "the slot's own commands are others";
  EXPECT_FALSE(other.has_value());
}

TEST_P(LanesTest, ALaneIsUsedAgain) {
  const auto sandbox = Make(LaneOptions());
  EXPECT_EQ(LogText(Run(*sandbox, In(kLane, "echo one")).log), "one\n");
  EXPECT_EQ(LogText(Run(*sandbox, In(kLane, "echo two")).log), "two\n");
  EXPECT_EQ(Run(*sandbox, In(kLane, "exit 4")).exit_code, 4);
}

TEST_P(LanesTest, AProgramThatIsNotThereIsToldLikeAnywhereElse) {
  const auto sandbox = Make(LaneOptions());
  Command command = Direct({"/nowhere/program"});
  command.lane = kLane;
  EXPECT_EQ(Run(*sandbox, command).started.code(), absl::StatusCode::kNotFound);
}

TEST_P(LanesTest, KillAllEndsAllLanes) {
  const auto sandbox = Make(LaneOptions());
  const auto up = Fifo("up");
  const auto daemon_up = Fifo("daemon");
  std::optional<CommandExit> beside;
  std::optional<CommandExit> other;
  sandbox->Start(Sleeper(kLane, up), [&](CommandExit e) { beside = std::move(e); });
  const Held command(PidIn(ReadFifo(up)));
  sandbox->Start(WithDaemon(kOtherLane, daemon_up, "trap \"\" TERM HUP"),
                 [&](CommandExit e) { other = std::move(e); });
  const Held daemon(PidIn(ReadFifo(daemon_up)));
  KillAll(*sandbox);
  EXPECT_TRUE(command.ended());
  EXPECT_TRUE(daemon.ended());
  EXPECT_TRUE(beside.has_value() && other.has_value()) << "nobody waits for ever";
  EXPECT_EQ(LogText(Run(*sandbox, In(kLane, "echo again")).log), "again\n");
}

TEST_P(LanesTest, AKilledKeeperOfALaneIsToldAndTheRestGoesOn) {
  const auto sandbox = Make(LaneOptions());
  const auto up = Fifo("up");
  const auto daemon_up = Fifo("daemon");
  std::optional<CommandExit> beside;
  sandbox->Start(WithDaemon(kLane, daemon_up, "trap \"\" TERM HUP"),
                 [&](CommandExit e) { beside = std::move(e); });
  const Held daemon(PidIn(ReadFifo(daemon_up)));
  const CommandExit parent = Run(*sandbox, Shell("echo $PPID"));
  const pid_t keeper = PidIn(LogText(parent.log));
  for (const Process& process : DescendantsOf(keeper)) {
    if (process.parent == keeper) {
      kill(process.pid, SIGKILL);  // the lane's keeper
    }
  }
  RunUntil([&] { return beside.has_value(); });
  EXPECT_EQ(beside->started.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(LogText(Run(*sandbox, Shell("echo still here")).log), "still here\n");
  KillAll(*sandbox);
  EXPECT_TRUE(daemon.ended());
}

TEST_P(LanesTest, WhenTheOwnerIsKilledNothingStaysAlive) {
  const auto daemon_up = Fifo("daemon");
  const auto options = LaneOptions();
  const pid_t owner = fork();
  if (owner == 0) {
    boost::asio::io_context io;
    auto sandbox = StartHostSandbox(io, options);
    (*sandbox)->Start(WithDaemon(kLane, daemon_up, "trap \"\" TERM HUP"),
                      [](const CommandExit&) {});
    io.run();
    _exit(1);
  }
  const Held daemon(PidIn(ReadFifo(daemon_up)));
  const auto marked = ProcessesMarked(KeeperMark(run_, 0));
  std::vector<Held> all;
  for (const auto pid : marked) {
    all.emplace_back(pid);
  }
  EXPECT_EQ(marked.size(), 4U) << "two keepers, the command, the daemon";
  kill(owner, SIGKILL);
  for (const auto& process : all) {
    process.AwaitEnd();
  }
  EXPECT_TRUE(daemon.ended());
}

TEST_P(LanesTest, AKilledKeeperTakesItsLanesWithIt) {
  const auto daemon_up = Fifo("daemon");
  engine::base::Status lost;
  auto options = LaneOptions();
  options.on_lost = [&](engine::base::Status status) { lost = std::move(status); };
  const auto sandbox = Make(std::move(options));
  const pid_t keeper = PidIn(LogText(Run(*sandbox, Shell("echo $PPID")).log));
  std::optional<CommandExit> beside;
  sandbox->Start(WithDaemon(kLane, daemon_up, "trap \"\" TERM HUP"),
                 [&](CommandExit e) { beside = std::move(e); });
  const Held daemon(PidIn(ReadFifo(daemon_up)));
  ASSERT_EQ(kill(keeper, SIGKILL), 0);
  RunUntil([&] { return !lost.ok(); });
  EXPECT_EQ(beside->started.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(daemon.ended());
  EXPECT_TRUE(ProcessesMarked(KeeperMark(run_, 0)).empty());
}

TEST_P(LanesTest, TheNextOwnerGetsWhatRunsInLanesAndWhatEndedThere) {
  const auto up = Fifo("up");
  const auto go = Fifo("go");
  const auto other_up = Fifo("other");
  const auto other_go = Fifo("other_go");
  StartAndKillOwner(
      {In(kLane, "echo before; echo x > " + up + "; read x < " + go + "; echo after; exit 7"),
       In(kOtherLane, "echo $$ > " + other_up + "; read x < " + other_go + "; exit 3")},
      [&] {
        ReadFifo(up);
        const Held other(PidIn(ReadFifo(other_up)));
        WriteFile(other_go, "x\n");
        other.AwaitEnd();
      });
  auto adopted = AdoptHostSandbox(io_, LaneOptions(true));
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ(adopted->starts, 2U);
  WriteFile(go, "x\n");
  const CommandExit beside = Await(*adopted->sandbox, kLane);
  EXPECT_EQ(beside.exit_code, 7);
  EXPECT_EQ(LogText(beside.log), "before\nafter\n");
  EXPECT_EQ(Await(*adopted->sandbox, kOtherLane).exit_code, 3);
  EXPECT_EQ(Await(*adopted->sandbox, 17).started.code(), absl::StatusCode::kUnavailable);
}

TEST_P(LanesTest, WhatIsNoStepIsNotCounted) {
  const auto up = Fifo("up");
  Command probe = In(kOwnLane, "echo x > " + up);
  probe.log_tag.step = engine::ports::kNoStep;
  StartAndKillOwner({probe}, [&] { ReadFifo(up); });
  auto adopted = AdoptHostSandbox(io_, LaneOptions(true));
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ(adopted->starts, 0U);
}

}  // namespace
}  // namespace executors::sandboxes
