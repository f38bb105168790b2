// SPDX-License-Identifier: Apache-2.0
// A disk that is full: a small file system in a mount namespace of the test's own. The run ends
// with exit code 3, nothing recorded is lost, and it goes on when there is room again.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// True when this process may mount without anybody else seeing it.
bool MayMount() {
  return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
         mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

class SmallDisk : public BadInput {
 protected:
  void SetUp() override {
    fs::create_directories(home());
    if (!MayMount() || mount("none", home().c_str(), "tmpfs", 0, "size=4m") != 0) {
      GTEST_SKIP() << "mounting a small tmpfs needs root's rights";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) {
      umount2(home().c_str(), MNT_DETACH);
    }
  }

  std::string filler() const { return home() + "/filler"; }
  /// Takes all the room that is left.
  void Fill() const {
    std::ofstream file(filler(), std::ios::binary);
    const std::string page(4096, 'f');
    while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
    }
  }

 private:
  bool mounted_ = false;
};

TEST_F(SmallDisk, FullInTheMiddleOfARunLosesNothingAndTheRunGoesOnLater) {
  // Enough jobs after the disk is full that their facts cannot all fit where the log had grown to.
  std::string cells = "0";
  for (int i = 1; i < 400; ++i) {
    cells += ", " + std::to_string(i);
  }
  WriteJobs(
      "  first: { steps: ['echo first >> \"$SHARED/ran\"'] }\n"
      "  fill: { needs: [first], steps: ['cat /dev/zero 2> /dev/null > \"$FILLER\" || true'], env: "
      "{ "
      "FILLER: '" +
      filler() +
      "' } }\n"
      "  many: { needs: [fill], checkout: false, steps: ['true'], matrix: { n: [" +
      cells + "] } }\n");
  const Outcome full = RunPipeline();
  ASSERT_EQ(full.exit_code, 3) << full.out << full.errors;
  EXPECT_THAT(full.errors, HasSubstr("full"));
  EXPECT_THAT(full.errors, HasSubstr("dayfly run --resume"));

  fs::remove(filler());
  ASSERT_EQ(mount("none", home().c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  const Outcome resumed = Dayfly({"run", "--resume", "latest", "--output", "json"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_EQ(Shared("ran"), "first\n") << "a finished job ran again";
  EXPECT_EQ(resumed.lines.back()["counts"]["succeeded"], 402) << resumed.lines.back();
}

TEST_F(SmallDisk, FullFromTheStartIsSaidAndNothingRuns) {
  Fill();
  WriteJobs("  a: { steps: ['echo a >> \"$SHARED/ran\"'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 3) << run.errors;
  EXPECT_THAT(run.errors, HasSubstr("No space left on device"));
  EXPECT_EQ(Shared("ran"), "");
  fs::remove(filler());
  EXPECT_EQ(RunPipeline().exit_code, 0) << Errors();
}

TEST_F(SmallDisk, ASourceThatDoesNotFitIsSaidAndNothingRuns) {
  // Bytes that do not get smaller, more than are written in one piece.
  std::string bytes;
  for (std::uint32_t at = 0; bytes.size() < 10'000'000; ++at) {
    bytes += static_cast<char>((at * 2654435761U) >> 24U);
    bytes += static_cast<char>((at * 2246822519U) >> 23U);
  }
  Write("large", bytes);
  WriteJobs("  a: { steps: ['echo a >> \"$SHARED/ran\"'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.errors, HasSubstr("the source cannot be recorded: write 'large' to "));
  EXPECT_THAT(run.errors, HasSubstr("No space left on device"));
  EXPECT_EQ(Shared("ran"), "");
  EXPECT_THAT(Runs(), ::testing::IsEmpty());
}

TEST_F(SmallDisk, ALogThatDoesNotFitIsCutAndSaid) {
  WriteJobs("  a: { steps: [\"head -c 8000000 /dev/zero | tr '\\\\0' x\"] }\n");
  const Outcome run = RunPipeline();
  EXPECT_TRUE(LastOf(run, "event") == "run_ended" || run.exit_code == 3) << run.out;
  const Outcome raw = Dayfly({"logs", "latest", "a", "--raw"});
  EXPECT_EQ(raw.exit_code, 3) << "missing bytes are named and give exit code 3";
  EXPECT_THAT(raw.errors, HasSubstr("missing"));
}

}  // namespace
}  // namespace tests::bad_input
