// SPDX-License-Identifier: Apache-2.0
#include "apps/run_lock.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
using testing::HasSubstr;

class RunLockTest : public testing::Test {
 protected:
  RunLockTest() {
    std::string name = (fs::temp_directory_path() / "dayfly-lock-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~RunLockTest() override { fs::remove_all(folder_); }

  std::string folder_;
};

TEST_F(RunLockTest, ASecondOwnerIsToldTheFirstOnesPid) {
  const auto first = RunLock::Acquire(folder_);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = RunLock::Acquire(folder_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(base::Message(second.status())),
              HasSubstr(fmt::format("process {}", getpid())));
}

TEST_F(RunLockTest, AnOwnerIsStillNamedAfterAnotherWasRefused) {
  const auto first = RunLock::Acquire(folder_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(RunLock::Acquire(folder_).ok());
  const auto owner = OwnerOf(folder_);
  ASSERT_TRUE(owner) << "whoever was refused emptied the file";
  EXPECT_EQ(owner->pid, getpid());
}

TEST_F(RunLockTest, IsFreeAgainWhenItsOwnerLetsGo) {
  { ASSERT_TRUE(RunLock::Acquire(folder_).ok()); }
  EXPECT_FALSE(OwnerOf(folder_));
  EXPECT_TRUE(RunLock::Acquire(folder_).ok());
}

TEST_F(RunLockTest, ADeadOwnerIsTakenOver) {
  const pid_t child = fork();
  if (child == 0) {
    auto lock = RunLock::Acquire(folder_);
    // Leaves as a killed process does: nothing is cleaned up.
    _exit(lock.ok() ? 0 : 1);
  }
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(OwnerOf(folder_)) << "dead, though its parent has not waited for it";
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_FALSE(OwnerOf(folder_)) << "the lock file names a process that is gone";
  EXPECT_TRUE(RunLock::Acquire(folder_).ok());
}

TEST_F(RunLockTest, AProcessIsOnlyItselfWithItsStart) {
  engine::ports::RunOwner owner = ThisProcess();
  EXPECT_TRUE(IsAlive(owner));
  ++owner.start_ticks;
  EXPECT_FALSE(IsAlive(owner)) << "the same pid, started at another time";
  owner = ThisProcess();
  owner.boot_id = "another boot";
  EXPECT_FALSE(IsAlive(owner));
}

TEST_F(RunLockTest, OwnersAreWrittenAndReadBack) {
  const engine::ports::RunOwner owner{.pid = 42, .boot_id = "b", .start_ticks = 7};
  EXPECT_EQ(DecodeOwner(EncodeOwner(owner)), owner);
  EXPECT_FALSE(DecodeOwner("").has_value());
  EXPECT_FALSE(DecodeOwner("boot b\npid x\nstart 7\n").has_value());
}

}  // namespace
}  // namespace apps
