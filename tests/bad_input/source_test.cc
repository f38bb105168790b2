// SPDX-License-Identifier: Apache-2.0
// Folders that are not the tidy repository one expects.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Source : public BadInput {
 protected:
  void Git(const std::string& arguments) const {
    const std::string command = fmt::format(
        "git -C '{}' -c init.defaultBranch=main {} > /dev/null 2>&1", source(), arguments);
    // NOLINTNEXTLINE(bugprone-command-processor,cert-env33-c): a test's own words
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
};

TEST_F(Source, AFolderWithoutARepositoryIsTakenWhole) {
  Write("file", "text");
  Write("sub/file", "more");
  WriteJobs("  a: { steps: ['cat file sub/file; printf \"[%s]\" \"$DAYFLY_COMMIT\"'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_EQ(RawLog("a"), "textmore[]");
}

TEST_F(Source, ARepositoryWithoutCommitsHasItsFiles) {
  Git("init");
  Write("file", "text");
  Write("ignored", "no");
  Write(".gitignore", "ignored\n");
  WriteJobs(
      "  a: { steps: ['cat file; test ! -e ignored; printf \"[%s %s]\" \"$DAYFLY_COMMIT\" "
      "\"$DAYFLY_BRANCH\"; git status --short | wc -l'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_EQ(RawLog("a"), "text[ main]3\n");
}

TEST_F(Source, ABareRepositoryHasNoFilesToTake) {
  Git("init --bare");
  WriteJobs("  a: { steps: [x] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.errors, HasSubstr("bare repository"));
  EXPECT_THAT(Runs(), ::testing::IsEmpty());
}

TEST_F(Source, WhatIsNoFileIsNoFileOfTheRun) {
  ASSERT_EQ(::mkfifo((source() + "/pipe").c_str(), 0600), 0);
  fs::create_symlink("/nowhere/at/all", source() + "/dangling");
  fs::create_symlink(".", source() + "/circle");
  WriteJobs("  a: { steps: ['test ! -e pipe; readlink dangling circle'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_EQ(RawLog("a"), "/nowhere/at/all\n.\n");
}

TEST_F(Source, NamesOfAnyBytesSurvive) {
  const std::string name = "n\xC3\xA4me \n\xFF'";
  Write(name, "text");
  WriteJobs("  a: { steps: ['cat n*'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_EQ(RawLog("a"), "text");
}

TEST_F(Source, ATreeThatChangesWhileItIsReadIsRecordedWholeOrRefusedByName) {
  const std::string first(200'000, 'a');
  const std::string second(200'000, 'b');
  Write("restless", first);
  WriteJobs("  a: { steps: ['tr -s ab < restless'] }\n");
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; ++i) {
      Write("restless", i % 2 == 0 ? second : first);
    }
  });
  const Outcome run = RunPipeline();
  done = true;
  writer.join();
  if (run.exit_code == 0) {
    EXPECT_THAT(RawLog("a"), ::testing::AnyOf("a", "b", ""));
  } else {
    EXPECT_EQ(run.exit_code, 3) << run.errors;
    EXPECT_THAT(run.errors, HasSubstr("kept changing while it was read: 'restless'"));
    EXPECT_THAT(Runs(), ::testing::IsEmpty());
  }
}

}  // namespace
}  // namespace tests::bad_input
