// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/host_sandbox.h"

#include <csignal>

#include "engine/base/checksum.h"
#include "executors/sandboxes/sandbox_fixture.h"

namespace executors::sandboxes {
namespace {

using HostSandbox = SandboxTest;
using engine::model::StepLog;

TEST_F(HostSandbox, ReportsTheExactExitCode) {
  for (const int code : {0, 1, 2, 77, 126, 127, 255}) {
    const auto exit = Run("exit " + std::to_string(code));
    EXPECT_TRUE(exit.started.ok()) << exit.started;
    EXPECT_EQ(exit.exit_code, code);
    EXPECT_EQ(exit.signal, 0);
    EXPECT_EQ(exit.leftover, 0U);
  }
}

TEST_F(HostSandbox, ReportsTheExactSignal) {
  for (const int signal : {SIGKILL, SIGTERM, SIGHUP, SIGUSR1, SIGSEGV}) {
    const auto exit = Run("kill -" + std::to_string(signal) + " $$");
    EXPECT_TRUE(exit.started.ok());
    EXPECT_EQ(exit.signal, signal);
    EXPECT_EQ(exit.exit_code, 0);
    EXPECT_FALSE(exit.oom_killed);
  }
}

TEST_F(HostSandbox, ASilentCommandCostsNoFile) {
  const auto exit = Run(Direct({"true"}));
  EXPECT_TRUE(exit.started.ok()) << exit.started;
  EXPECT_EQ(exit.log, StepLog{});
  EXPECT_TRUE(exit.log_status.ok());
  EXPECT_FALSE(std::filesystem::exists(run_ + "/logs"));
}

TEST_F(HostSandbox, KeepsStdoutAndStderrInOrder) {
  const auto exit = Run("echo one; echo two >&2; echo three; printf four >&2");
  EXPECT_EQ(LogText(exit.log), "one\ntwo\nthree\nfour");
  EXPECT_EQ(exit.log.checksum, engine::base::Crc32(0, "one\ntwo\nthree\nfour"));
  EXPECT_FALSE(exit.log.truncated);
}

TEST_F(HostSandbox, CommandsShareASegmentOneAfterTheOther) {
  const auto first = Run("echo first");
  const auto silent = Run(":");
  const auto second = Run("echo second");
  EXPECT_EQ(LogText(first.log), "first\n");
  EXPECT_TRUE(silent.log.ranges.empty());
  EXPECT_EQ(LogText(second.log), "second\n");
  EXPECT_EQ(second.log.ranges.at(0).segment, first.log.ranges.at(0).segment);
  EXPECT_EQ(second.log.ranges.at(0).offset, 6U);
}

TEST_F(HostSandbox, KeepsBytesThatAreNoText) {
  const auto exit = Run("printf 'a\\000b\\377\\376\\n\\000'");
  EXPECT_EQ(LogText(exit.log), std::string("a\0b\377\376\n\0", 7));
}

TEST_F(HostSandbox, KeepsAVeryLongLine) {
  const auto exit = Run("head -c 1048576 /dev/zero | tr '\\0' x");
  EXPECT_EQ(LogText(exit.log), std::string(1048576, 'x'));
}

TEST_F(HostSandbox, CutsTheLogAtItsLimitWithAMark) {
  auto command = Shell("printf 0123456789; printf abcdef; exit 3");
  command.log_limit = 12;
  const auto exit = Run(command);
  EXPECT_EQ(exit.exit_code, 3);
  EXPECT_TRUE(exit.log.truncated);
  EXPECT_EQ(exit.log.lost_bytes, 0U);
  const auto text = LogText(exit.log);
  EXPECT_EQ(text.substr(0, 13), "0123456789ab\n");
  EXPECT_NE(text.find("log_limit of 12 bytes"), std::string::npos) << text;
  EXPECT_EQ(exit.log.checksum, engine::base::Crc32(0, text));
}

TEST_F(HostSandbox, ALogOfExactlyTheLimitIsNotCut) {
  auto command = Shell("printf 0123456789");
  command.log_limit = 10;
  const auto exit = Run(command);
  EXPECT_FALSE(exit.log.truncated);
  EXPECT_EQ(LogText(exit.log), "0123456789");
}

TEST_F(HostSandbox, RollsSegmentsOverAndNamesEachRange) {
  auto options = Options(3);
  options.segment_bytes_max = 100'000;
  const auto sandbox = Make(std::move(options));
  const auto exit = Run(*sandbox, Shell("seq 1 100000"));
  std::string expected;
  for (int i = 1; i <= 100000; ++i) {
    expected += std::to_string(i) + "\n";
  }
  EXPECT_GE(exit.log.ranges.size(), 2U);
  EXPECT_EQ(engine::model::SegmentSlot(exit.log.ranges.at(0).segment), 3U);
  EXPECT_EQ(LogText(exit.log), expected);
  EXPECT_EQ(exit.log.checksum, engine::base::Crc32(0, expected));
}

TEST_F(HostSandbox, ANewKeeperNeverWritesAnOldSegment) {
  const auto first = Run(*Make(Options()), Shell("echo old"));
  const auto second = Run(*Make(Options()), Shell("echo new"));
  EXPECT_NE(first.log.ranges.at(0).segment, second.log.ranges.at(0).segment);
  EXPECT_EQ(LogText(first.log), "old\n");
  EXPECT_EQ(LogText(second.log), "new\n");
}

TEST_F(HostSandbox, NamesAProgramThatIsNotThere) {
  const auto absent = Run(Direct({"no-such-program"}));
  EXPECT_EQ(absent.started.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(engine::base::Message(absent.started), "no-such-program: no such program in PATH");
  const auto by_path = Run(Direct({"/nowhere/program"}));
  EXPECT_EQ(by_path.started.code(), absl::StatusCode::kNotFound);
  // The keeper is as good as before.
  EXPECT_EQ(Run("exit 5").exit_code, 5);
}

TEST_F(HostSandbox, NamesAProgramThatIsNotExecutable) {
  WriteFile(folder_ + "/plain", "text");
  const auto exit = Run(Direct({folder_ + "/plain"}));
  EXPECT_EQ(exit.started.code(), absl::StatusCode::kPermissionDenied) << exit.started;
  const auto folder = Run(Direct({folder_}));
  EXPECT_EQ(folder.started.code(), absl::StatusCode::kPermissionDenied) << folder.started;
}

TEST_F(HostSandbox, NamesAWorkingDirectoryThatIsNotThere) {
  auto command = Direct({"true"});
  command.workdir = folder_ + "/nowhere";
  const auto exit = Run(command);
  EXPECT_EQ(exit.started.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(engine::base::Message(exit.started).find("working directory"), std::string::npos);
}

TEST_F(HostSandbox, AScriptWithoutInterpreterRunsInTheShell) {
  WriteFile(folder_ + "/script", "echo \"got $1\"\n");
  std::filesystem::permissions(folder_ + "/script", std::filesystem::perms::owner_all);
  const auto exit = Run(Direct({folder_ + "/script", "it"}));
  EXPECT_TRUE(exit.started.ok()) << exit.started;
  EXPECT_EQ(LogText(exit.log), "got it\n");
}

TEST_F(HostSandbox, RefusesACommandWithoutAProgram) {
  EXPECT_EQ(Run(Direct({})).started.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Run(Direct({""})).started.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(HostSandbox, RefusesACommandThatIsTooLong) {
  const auto exit = Run(Direct({"echo", std::string(20 << 20, 'x')}));
  EXPECT_EQ(exit.started.code(), absl::StatusCode::kInvalidArgument);
  // The kernel's own limit on one argument is lower.
  const auto long_argument = Run(Direct({"echo", std::string(1 << 20, 'x')}));
  EXPECT_FALSE(long_argument.started.ok());
  EXPECT_EQ(Run("exit 5").exit_code, 5);
}

TEST_F(HostSandbox, StartsFromExactlyTheGivenEnvironment) {
  setenv("DAYFLY_TEST_LEAK", "1", 1);
  auto command = Direct({"/usr/bin/env"});
  command.env = {"B=2", "A=1"};
  const auto text = LogText(Run(command).log);
  EXPECT_EQ(text, "B=2\nA=1\nDAYFLY_KEEPER=" + run_ + "#0\n");
}

TEST_F(HostSandbox, StartsWithEmptyInputAndDefaultSignals) {
  const auto exit =
      Run("wc -c; grep -E '^(SigBlk|SigIgn)' /proc/self/status; readlink /proc/self/fd/0; "
          "ls /proc/self/fd | wc -l");
  EXPECT_EQ(LogText(exit.log),
            "0\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n/dev/null\n4\n");
}

TEST_F(HostSandbox, EndsWithItsMainProcessAndCountsWhatIsLeft) {
  const auto alive = Fifo("alive");
  const auto exit = Run("echo before; sleep 1000 & (setsid sleep 1000 &) ; echo after");
  EXPECT_EQ(exit.exit_code, 0);
  EXPECT_EQ(exit.leftover, 2U);
  EXPECT_EQ(LogText(exit.log), "before\nafter\n");
  KillAll();
  EXPECT_EQ(Run(":").leftover, 0U);
}

TEST_F(HostSandbox, ACommandAfterAKillRunsToItsOwnEnd) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Run("sleep 1000 & echo left one behind").leftover, 1U);
    KillAll();
    const auto next = Run("echo next; exit 3");
    EXPECT_EQ(next.signal, 0) << "the kill before it reached it";
    EXPECT_EQ(next.exit_code, 3);
    EXPECT_EQ(LogText(next.log), "next\n");
  }
}

TEST_F(HostSandbox, WhatIsLeftMayGoOnPrintingAndIsDropped) {
  const auto done = Fifo("done");
  const auto first = Run("(seq 1 200000; echo finished > done) & echo first");
  EXPECT_EQ(first.exit_code, 0);
  const auto second = Run("cat done; echo second");
  EXPECT_EQ(LogText(second.log), "finished\nsecond\n");
}

TEST_F(HostSandbox, KillAllReachesWhoeverLeftGroupAndSessionAndIgnoresSignals) {
  const auto ready = Fifo("ready");
  bool ended = false;
  sandbox().Start(
      Shell("trap '' TERM HUP INT\n"
            "(setsid sh -c 'trap \"\" TERM HUP; (setsid sh -c \"echo deep $$ > ready; exec sleep "
            "1000\" &) ; exec sleep 1000' &)\n"
            "while :; do sleep 1000 || :; done"),
      [&](const engine::ports::CommandExit& exit) {
        EXPECT_EQ(exit.signal, SIGKILL);
        ended = true;
      });
  EXPECT_TRUE(ReadFifo(ready).starts_with("deep"));
  KillAll();
  EXPECT_TRUE(ended);
  EXPECT_EQ(Run(":").leftover, 0U);
}

TEST_F(HostSandbox, SignalReachesWhoeverLeftTheGroup) {
  const auto ready = Fifo("ready");
  const auto told = Fifo("told");
  Fifo("never");
  std::optional<engine::ports::CommandExit> exit;
  // `read` and not `sleep` in the inner shell: dash loses a signal that comes while it vforks.
  sandbox().Start(Shell("trap 'exit 9' TERM; setsid sh -c 'trap \"echo got it > told; exit 0\" "
                        "TERM; exec 3<> never; echo r > ready; read x <&3' & wait"),
                  [&](engine::ports::CommandExit e) { exit = std::move(e); });
  EXPECT_EQ(ReadFifo(ready), "r\n");
  sandbox().Signal(engine::ports::kOwnLane, SIGTERM);
  EXPECT_EQ(ReadFifo(told), "got it\n");
  RunUntil([&] { return exit.has_value(); });
  EXPECT_EQ(exit->exit_code, 9);
}

// The shell dies of the signal at once; what it started still has something to say.
TEST_F(HostSandbox, ACommandThatWasToldToEndIsOverWhenWhatItStartedIsGone) {
  const auto ready = Fifo("ready");
  const auto told = Fifo("told");
  const auto gate = Fifo("gate");
  Fifo("never");
  std::optional<engine::ports::CommandExit> exit;
  sandbox().Start(Shell("sh -c 'trap \"echo t > told; read x < gate; echo flushed; exit 0\" TERM; "
                        "exec 3<> never; echo r > ready; read x <&3'; echo behind it"),
                  [&](engine::ports::CommandExit e) { exit = std::move(e); });
  EXPECT_EQ(ReadFifo(ready), "r\n");
  sandbox().Signal(engine::ports::kOwnLane, SIGTERM);
  EXPECT_EQ(ReadFifo(told), "t\n");
  std::ofstream(gate) << "go\n";
  RunUntil([&] { return exit.has_value(); });
  EXPECT_EQ(exit->signal, SIGTERM);
  EXPECT_EQ(exit->leftover, 0U);
  EXPECT_EQ(LogText(exit->log), "flushed\n");
}

/// A command that was told to end and did, and left somebody who ignores that.
class Survivor : public HostSandbox {
 protected:
  void SetUp() override {
    const auto ready = Fifo("ready");
    Fifo("never");
    sandbox().Start(
        Shell("(trap '' TERM; exec 3<> never; echo $$ > ready; read x <&3) & exec 4<> never; "
              "read y <&4"),
        [&](engine::ports::CommandExit e) { exit_ = std::move(e); });
    const Held shell(PidIn(ReadFifo(ready)));
    sandbox().Signal(engine::ports::kOwnLane, SIGTERM);
    shell.AwaitEnd();
  }
  std::optional<engine::ports::CommandExit> exit_;
};

TEST_F(Survivor, IsNotAwaitedAfterAKill) {
  sandbox().Signal(engine::ports::kOwnLane, SIGKILL);
  RunUntil([&] { return exit_.has_value(); });
  EXPECT_EQ(exit_->signal, SIGTERM);
  KillAll();
  EXPECT_EQ(Run(":").leftover, 0U);
}

TEST_F(Survivor, IsEndedByKillAll) {
  KillAll();
  EXPECT_TRUE(exit_.has_value());
  EXPECT_EQ(Run(":").leftover, 0U);
}

TEST_F(HostSandbox, ASignalWithNothingRunningHasNoEffect) {
  sandbox().Signal(engine::ports::kOwnLane, SIGTERM);
  EXPECT_EQ(Run("exit 4").exit_code, 4);
}

TEST_F(HostSandbox, ASignalRightBehindAStartIsForThatCommand) {
  std::optional<engine::ports::CommandExit> exit;
  sandbox().KillAll([] {});
  sandbox().Start(Direct({"sleep", "1000"}),
                  [&](engine::ports::CommandExit e) { exit = std::move(e); });
  sandbox().Signal(engine::ports::kOwnLane, SIGTERM);
  RunUntil([&] { return exit.has_value(); });
  EXPECT_EQ(exit->signal, SIGTERM);
}

TEST_F(HostSandbox, OrdersMayBeSentAheadAndAreServedInOrder) {
  std::vector<int> codes;
  for (int code = 0; code < 50; ++code) {
    sandbox().Start(
        Shell("exit " + std::to_string(code)),
        [&](const engine::ports::CommandExit& exit) { codes.push_back(exit.exit_code); });
  }
  RunUntil([&] { return codes.size() == 50; });
  for (int code = 0; code < 50; ++code) {
    EXPECT_EQ(codes[static_cast<std::size_t>(code)], code);
  }
}

TEST_F(HostSandbox, KillAllVoidsWhatHadNotStarted) {
  std::vector<engine::ports::CommandExit> exits;
  bool killed = false;
  for (int i = 0; i < 2; ++i) {
    sandbox().Start(Direct({"sleep", "1000"}),
                    [&](engine::ports::CommandExit exit) { exits.push_back(std::move(exit)); });
  }
  sandbox().KillAll([&] { killed = true; });
  RunUntil([&] { return killed; });
  ASSERT_EQ(exits.size(), 2U);
  const bool first_is_cancelled = !exits[0].started.ok();
  EXPECT_EQ(exits[first_is_cancelled ? 0 : 1].started.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(exits[first_is_cancelled ? 1 : 0].signal, SIGKILL);
}

TEST_F(HostSandbox, WithoutCgroupAllTheSame) {
  auto options = Options();
  options.allow_cgroup = false;
  const auto sandbox = Make(std::move(options));
  const auto exit = Run(*sandbox, Shell("setsid sleep 1000 & (setsid sleep 1000 &) ; exit 6"));
  EXPECT_EQ(exit.exit_code, 6);
  EXPECT_EQ(exit.leftover, 2U);
  EXPECT_EQ(sandbox->facts().kill_kind, "subreaper");
  EXPECT_EQ(sandbox->facts().fallbacks.size(), 1U);
  KillAll(*sandbox);
  EXPECT_EQ(Run(*sandbox, Shell(":")).leftover, 0U);
}

}  // namespace
}  // namespace executors::sandboxes
