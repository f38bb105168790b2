// SPDX-License-Identifier: Apache-2.0
// Keepers and owners that die: nothing they started may stay alive.
#include <csignal>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/leftovers.h"
#include "executors/sandboxes/process_tree.h"
#include "executors/sandboxes/sandbox_fixture.h"

namespace executors::sandboxes {
namespace {

class LossTest : public SandboxTest, public ::testing::WithParamInterface<bool> {
 protected:
  LossTest() {
    // What a killed owner leaves comes to this process instead of a stranger.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~LossTest() override { prctl(PR_SET_CHILD_SUBREAPER, 0); }

  HostSandboxOptions LossOptions() {
    auto options = Options();
    options.allow_cgroup = GetParam();
    return options;
  }
  /// A script that starts a daemon outside its session, tells its number to `fifo`, and goes on.
  static std::string DaemonScript(const std::string& fifo) {
    return "(setsid sh -c 'trap \"\" TERM HUP; echo $$ > " + fifo +
           "; exec sleep 1000' &); exec sleep 1000";
  }
  pid_t KeeperPid() const {
    for (const auto pid : ProcessesMarked(KeeperMark(run_, 0))) {
      if (ParentOf(pid) == getpid()) {
        return pid;
      }
    }
    return 0;
  }
};

INSTANTIATE_TEST_SUITE_P(, LossTest, ::testing::Values(true, false), [](const auto& param) {
  return std::string(param.param ? "with_cgroup" : "without_cgroup");
});

TEST_P(LossTest, AKilledKeeperIsReportedAndTakesEverythingWithIt) {
  const auto fifo = Fifo("daemon");
  engine::base::Status lost;
  auto options = LossOptions();
  options.on_lost = [&](engine::base::Status status) { lost = std::move(status); };
  const auto sandbox = Make(std::move(options));
  std::optional<engine::ports::CommandExit> exit;
  std::optional<engine::base::Status> prepared;
  bool killed = false;
  sandbox->Start(Shell(DaemonScript(fifo)),
                 [&](engine::ports::CommandExit e) { exit = std::move(e); });
  const Held daemon(PidIn(ReadFifo(fifo)));
  ASSERT_TRUE(daemon.valid());
  ASSERT_EQ(kill(KeeperPid(), SIGKILL), 0);
  RunUntil([&] { return !lost.ok(); });
  EXPECT_EQ(lost.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(exit->started.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(daemon.ended());

  exit.reset();
  sandbox->Start(Shell(":"), [&](engine::ports::CommandExit e) { exit = std::move(e); });
  sandbox->PrepareWorkspace({}, [&](engine::base::Status s) { prepared = std::move(s); });
  sandbox->KillAll([&] { killed = true; });
  EXPECT_FALSE(exit.has_value()) << "never from inside the call";
  RunUntil([&] { return killed; });
  EXPECT_EQ(exit->started.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(prepared->code(), absl::StatusCode::kUnavailable);
}

TEST_P(LossTest, AnotherKeeperGoesOnInTheSameSlot) {
  bool lost = false;
  auto options = LossOptions();
  options.on_lost = [&](const engine::base::Status&) { lost = true; };
  auto sandbox = Make(std::move(options));
  const auto first = Run(*sandbox, Shell("echo one"));
  kill(KeeperPid(), SIGKILL);
  RunUntil([&] { return lost; });
  sandbox = Make(LossOptions());
  const auto second = Run(*sandbox, Shell("echo two"));
  EXPECT_EQ(LogText(first.log), "one\n");
  EXPECT_EQ(LogText(second.log), "two\n");
  const auto status = Prepare(*sandbox, {.lower = "", .path = run_ + "/ws"});
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(LossTest, WhenTheOwnerIsKilledNothingStaysAlive) {
  const auto fifo = Fifo("daemon");
  const auto options = LossOptions();
  const pid_t owner = fork();
  if (owner == 0) {
    boost::asio::io_context io;
    auto sandbox = StartHostSandbox(io, options);
    (*sandbox)->Start(Shell(DaemonScript(fifo)), [](const engine::ports::CommandExit&) {});
    io.run();
    _exit(1);
  }
  const Held daemon(PidIn(ReadFifo(fifo)));
  const auto marked = ProcessesMarked(KeeperMark(run_, 0));
  std::vector<Held> all;
  for (const auto pid : marked) {
    all.emplace_back(pid);
  }
  EXPECT_EQ(marked.size(), 3U) << "the keeper, the command, the daemon";
  kill(owner, SIGKILL);
  for (const auto& process : all) {
    process.AwaitEnd();
  }
  EXPECT_TRUE(daemon.ended());
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST_P(LossTest, ReapLeftoversClearsAwayWhatAKilledRunLeft) {
  const auto fifo = Fifo("daemon");
  const auto options = LossOptions();
  const pid_t owner = fork();
  if (owner == 0) {
    boost::asio::io_context io;
    auto sandbox = StartHostSandbox(io, options);
    (*sandbox)->PrepareWorkspace({.lower = "", .path = run_ + "/ws"}, [](const auto&) {});
    (*sandbox)->Start(Shell(DaemonScript(fifo)), [](const engine::ports::CommandExit&) {});
    io.run();
    _exit(1);
  }
  const Held daemon(PidIn(ReadFifo(fifo)));
  // The keeper first, so that nobody is left to clean up, then its owner.
  for (const auto pid : ProcessesMarked(KeeperMark(run_, 0))) {
    if (ParentOf(pid) == owner) {
      kill(owner, SIGSTOP);
      kill(pid, SIGKILL);
      Held(pid).AwaitEnd();
    }
  }
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  EXPECT_FALSE(daemon.ended());

  const auto leftovers = ReapLeftovers(run_);
  ASSERT_TRUE(leftovers.ok()) << leftovers.status();
  EXPECT_GE(leftovers->processes, 1U);
  EXPECT_TRUE(daemon.ended());
  EXPECT_FALSE(std::filesystem::exists(run_ + "/layers"));
  EXPECT_TRUE(ProcessesMarked(RunMarkPattern(run_)).empty());
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST_P(LossTest, ReapLeftoversOfARunThatEndedWellFindsNothing) {
  Run(*Make(LossOptions()), Shell("echo x"));
  const auto leftovers = ReapLeftovers(run_);
  ASSERT_TRUE(leftovers.ok());
  EXPECT_EQ(leftovers->processes, 0U);
}

TEST_P(LossTest, LettingGoEndsWhatStillRuns) {
  const auto fifo = Fifo("daemon");
  auto sandbox = Make(LossOptions());
  sandbox->Start(Shell(DaemonScript(fifo)), [](const engine::ports::CommandExit&) {
    FAIL() << "no handler is called once the sandbox is gone";
  });
  const Held daemon(PidIn(ReadFifo(fifo)));
  sandbox.reset();
  EXPECT_TRUE(daemon.ended());
  io_.restart();
  io_.run();
}

TEST(StartHostSandbox, NamesAKeeperThatCannotBeStarted) {
  boost::asio::io_context io;
  const auto made =
      StartHostSandbox(io, {.run_folder = "/tmp", .keeper_program = "/nowhere/dayfly"});
  EXPECT_EQ(made.status().code(), absl::StatusCode::kNotFound);
}

TEST(StartHostSandbox, AProgramThatIsNoKeeperIsALostKeeper) {
  boost::asio::io_context io;
  engine::base::Status lost;
  const auto made = StartHostSandbox(io, {.run_folder = "/tmp/no-such-run",
                                          .keeper_program = "/bin/true",
                                          .on_lost = [&](auto s) { lost = std::move(s); }});
  ASSERT_TRUE(made.ok());
  while (lost.ok() && io.run_one() > 0) {
  }
  EXPECT_EQ(lost.code(), absl::StatusCode::kUnavailable);
}

/// A run folder on a file system of one MiB.
class FullDisk : public SandboxTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || mount("none", run_.c_str(), "tmpfs", 0, "size=1m") != 0) {
      GTEST_SKIP() << "mounting a small tmpfs needs root's rights";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) {
      umount2(run_.c_str(), MNT_DETACH);
    }
  }
  bool mounted_ = false;
};

TEST_F(FullDisk, KeepsThePrefixCountsTheRestAndSaysWhy) {
  const auto sandbox = Make(Options());
  WriteFile(run_ + "/filler", std::string(300000, 'f'));
  const auto before = Run(*sandbox, Shell("echo before"));
  const auto full = Run(*sandbox, Shell("head -c 3000000 /dev/zero | tr '\\0' x; exit 7"));
  EXPECT_TRUE(full.started.ok());
  EXPECT_EQ(full.exit_code, 7) << "the command itself goes on";
  EXPECT_EQ(full.log_status.code(), absl::StatusCode::kResourceExhausted) << full.log_status;
  std::uint64_t kept = 0;
  for (const auto& range : full.log.ranges) {
    kept += range.length;
  }
  EXPECT_GT(kept, 0U);
  EXPECT_EQ(kept + full.log.lost_bytes, 3000000U);
  EXPECT_EQ(LogText(full.log), std::string(kept, 'x'));
  EXPECT_EQ(LogText(before.log), "before\n");

  std::filesystem::remove(run_ + "/filler");
  const auto after = Run(*sandbox, Shell("echo after"));
  EXPECT_TRUE(after.log_status.ok()) << after.log_status;
  EXPECT_EQ(LogText(after.log), "after\n");
}

}  // namespace
}  // namespace executors::sandboxes
