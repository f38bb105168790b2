// SPDX-License-Identifier: Apache-2.0
// Keepers that outlive their owner, and the owner that comes next.
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/leftovers.h"
#include "executors/sandboxes/process_tree.h"
#include "executors/sandboxes/sandbox_fixture.h"

namespace executors::sandboxes {
namespace {

using engine::ports::AdoptedSandbox;
using engine::ports::CommandExit;

class AdoptTest : public SandboxTest, public ::testing::WithParamInterface<bool> {
 protected:
  AdoptTest() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~AdoptTest() override {
    ReapLeftovers(run_).IgnoreError();
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  HostSandboxOptions Outliving() const {
    auto options = Options();
    options.allow_cgroup = GetParam();
    options.outlives_owner = true;
    return options;
  }

  /// An owner in a process of its own that keeps `records` and starts `script`.
  pid_t StartOwner(const std::string& script, const std::vector<std::string>& records,
                   engine::base::Duration offline = std::chrono::minutes(10)) {
    const auto options = Outliving();
    const pid_t owner = fork();
    if (owner == 0) {
      boost::asio::io_context io;
      auto sandbox = StartHostSandbox(io, options);
      for (const std::string& record : records) {
        (*sandbox)->Keep(record, offline);
      }
      (*sandbox)->Start(Shell(script), [](const CommandExit&) {});
      io.run();
      _exit(1);
    }
    return owner;
  }
  static void KillOwner(pid_t owner) {
    kill(owner, SIGKILL);
    waitpid(owner, nullptr, 0);
  }
  AdoptedSandbox Adopt() {
    auto adopted = AdoptHostSandbox(io_, Outliving());
    EXPECT_TRUE(adopted.ok()) << adopted.status();
    return adopted.ok() ? *std::move(adopted) : AdoptedSandbox{};
  }
  CommandExit Await(engine::ports::Sandbox& sandbox) {
    std::optional<CommandExit> exit;
    sandbox.Await(engine::ports::kOwnLane, [&](CommandExit e) { exit = std::move(e); });
    RunUntil([&] { return exit.has_value(); });
    return exit.value_or(CommandExit{});
  }
  /// Everybody who carries the slot's mark, held.
  std::vector<Held> Everybody() const {
    std::vector<Held> all;
    for (const auto pid : ProcessesMarked(KeeperMark(run_, 0))) {
      all.emplace_back(pid);
    }
    return all;
  }
};

INSTANTIATE_TEST_SUITE_P(, AdoptTest, ::testing::Values(true, false), [](const auto& param) {
  return std::string(param.param ? "with_cgroup" : "without_cgroup");
});

TEST_P(AdoptTest, TheNextOwnerGetsTheRunningCommandWithAllItPrints) {
  const auto up = Fifo("up");
  const auto go = Fifo("go");
  const pid_t owner = StartOwner(
      "echo before; echo x > " + up + "; read line < " + go + "; echo after; exit 7", {"a", "b"});
  ReadFifo(up);
  KillOwner(owner);
  AdoptedSandbox adopted = Adopt();
  EXPECT_EQ(adopted.kept, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(adopted.starts, 1U);
  WriteFile(go, "x\n");
  const CommandExit exit = Await(*adopted.sandbox);
  EXPECT_TRUE(exit.started.ok()) << exit.started;
  EXPECT_EQ(exit.exit_code, 7);
  EXPECT_EQ(LogText(exit.log), "before\nafter\n");
  EXPECT_EQ(LogText(Run(*adopted.sandbox, Shell("echo next")).log), "next\n");
}

TEST_P(AdoptTest, AnEndThatNobodyHeardIsToldToTheNextOwner) {
  const auto up = Fifo("up");
  const auto go = Fifo("go");
  const pid_t owner =
      StartOwner("echo $$ > " + up + "; read line < " + go + "; echo done; exit 3", {"a"});
  const Held command(PidIn(ReadFifo(up)));
  KillOwner(owner);
  WriteFile(go, "x\n");
  command.AwaitEnd();
  AdoptedSandbox adopted = Adopt();
  const CommandExit exit = Await(*adopted.sandbox);
  EXPECT_EQ(exit.exit_code, 3);
  EXPECT_EQ(LogText(exit.log), "done\n");
}

TEST_P(AdoptTest, WithNoRecordKeptNothingOutlivesTheOwner) {
  const auto up = Fifo("up");
  const pid_t owner = StartOwner("echo $$ > " + up + "; exec sleep 1000", {});
  ReadFifo(up);
  const auto all = Everybody();
  EXPECT_EQ(all.size(), 2U) << "the keeper and the command";
  KillOwner(owner);
  for (const auto& process : all) {
    process.AwaitEnd();
  }
  EXPECT_EQ(AdoptHostSandbox(io_, Outliving()).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(AdoptTest, WhenItsTimeAloneHasPassedItKillsEverythingAndLeaves) {
  const auto up = Fifo("up");
  const pid_t owner =
      StartOwner("echo $$ > " + up + "; exec sleep 1000", {"a"}, std::chrono::milliseconds(20));
  ReadFifo(up);
  const auto all = Everybody();
  KillOwner(owner);
  for (const auto& process : all) {
    process.AwaitEnd();
  }
  EXPECT_EQ(AdoptHostSandbox(io_, Outliving()).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(AdoptTest, ForgettingEndsItsTimeAlone) {
  const auto up = Fifo("up");
  const pid_t owner = StartOwner("echo $$ > " + up + "; exec sleep 1000", {"a"});
  ReadFifo(up);
  KillOwner(owner);
  AdoptedSandbox adopted = Adopt();
  const auto all = Everybody();
  adopted.sandbox->KillAll([] {});
  adopted.sandbox->ForgetKept();
  adopted.sandbox.reset();
  for (const auto& process : all) {
    EXPECT_TRUE(process.ended()) << "the destructor waits";
  }
}

TEST_P(AdoptTest, AKeeperKilledWhileAloneLeavesItsCommandToTheNextReaping) {
  const auto up = Fifo("up");
  const pid_t owner = StartOwner("(setsid sh -c 'trap \"\" HUP TERM; echo $$ > " + up +
                                     "; exec sleep 1000' &); exec sleep 1000",
                                 {"a"});
  const Held daemon(PidIn(ReadFifo(up)));
  KillOwner(owner);
  for (const auto pid : ProcessesMarked(KeeperMark(run_, 0))) {
    if (ParentOf(pid) == getpid()) {
      const Held keeper(pid);
      kill(pid, SIGKILL);
      keeper.AwaitEnd();
      break;
    }
  }
  EXPECT_FALSE(AdoptHostSandbox(io_, Outliving()).ok());
  EXPECT_TRUE(ReapSlotLeftovers(run_, 0).ok());
  EXPECT_TRUE(daemon.ended());
  EXPECT_TRUE(ProcessesMarked(KeeperMark(run_, 0)).empty());
}

TEST_P(AdoptTest, AnAdoptedKeeperThatDiesIsReportedAndTakesEverythingWithIt) {
  const auto up = Fifo("up");
  const pid_t owner = StartOwner("echo $$ > " + up + "; exec sleep 1000", {"a"});
  const Held command(PidIn(ReadFifo(up)));
  KillOwner(owner);
  auto options = Outliving();
  engine::base::Status lost;
  options.on_lost = [&](engine::base::Status status) { lost = std::move(status); };
  auto adopted = AdoptHostSandbox(io_, options);
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  std::optional<CommandExit> exit;
  adopted->sandbox->Await(engine::ports::kOwnLane, [&](CommandExit e) { exit = std::move(e); });
  for (const auto pid : ProcessesMarked(KeeperMark(run_, 0))) {
    if (ParentOf(pid) == getpid()) {
      kill(pid, SIGKILL);
    }
  }
  RunUntil([&] { return !lost.ok(); });
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->started.code(), absl::StatusCode::kUnavailable);
  command.AwaitEnd();  // without a cgroup its own signal at the keeper's death ends it
}

TEST_P(AdoptTest, TheSocketIsForItsOwnUserOnly) {
  const auto sandbox = Make(Outliving());
  Run(*sandbox, Shell(":"));
  struct stat status {};
  ASSERT_EQ(stat((NotesFolder(run_) + "/" + SocketName(0)).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

}  // namespace
}  // namespace executors::sandboxes
