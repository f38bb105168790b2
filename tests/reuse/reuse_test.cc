// SPDX-License-Identifier: Apache-2.0
// `reuse` through `dayfly run`: when an earlier result stands, when it does not, and what comes
// with it.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::reuse {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// What `build` makes is another thing each time it runs; `use` checks that output and artifact are
/// of one run.
constexpr const char* kPipeline = R"yaml(
name: reuse
inputs: { level: { default: low } }
jobs:
  build:
    reuse: { inputs: ["src/**"] }
    env: { KIND: plain }
    timeout: 10m
    outputs: { made: "${{ steps.make.outputs.made }}" }
    artifacts:
      upload: [{ name: "bin-${{ steps.make.outputs.made }}", paths: [out] }]
      reports: { junit: [r.xml] }
    steps:
      - id: make
        run: |
          mkdir -p out; cat /proc/sys/kernel/random/uuid > out/stamp
          echo "made=$(cat out/stamp)" >> "$DAYFLY_OUTPUT"
          echo "<testsuite><testcase classname='Sum' name='Adds'/></testsuite>" > r.xml
          test ! -e src/broken
      - run: echo ${{ inputs.level }}
    finally: [echo the end]
  use:
    needs: [{ job: build, artifacts: true }]
    steps: ['test "$(cat out/stamp)" = "${{ needs.build.outputs.made }}"']
)yaml";

class ReuseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(File("src"));
    Write("src/a", "a");
    Write("reuse.yml", kPipeline);
  }

  std::string File(const std::string& name) const { return folder_.File("source/" + name); }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(File(name)) << text;
  }
  void Change(const std::string& from, const std::string& to) const {
    std::string text = kPipeline;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    Write("reuse.yml", text.replace(at, from.size(), to));
  }

  support::Ended Dayfly(std::vector<std::string> arguments) const {
    return support::RunDayfly({.arguments = std::move(arguments),
                               .env = {"DAYFLY_HOME=" + folder_.File("home"),
                                       "HOME=" + folder_.path().string(), "PATH=/usr/bin:/bin"},
                               .folder = folder_.File("source"),
                               .errors = folder_.File("errors")});
  }
  std::string Errors() const {
    std::ifstream in(folder_.File("errors"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  /// Whether `build` of a run that ends well took over an earlier result.
  bool Reuses(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"run", "reuse.yml", "--output", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const support::Ended run = Dayfly(std::move(arguments));
    EXPECT_EQ(run.exit_code, 0) << run.text << Errors();
    const std::string log = Dayfly({"logs", "latest", "build", "--raw"}).text;
    const bool reuses =
        run.text.find(
            R"("event":"job_ended","status":"succeeded","exit_code":null,"reason":"reused")") !=
        std::string::npos;
    EXPECT_EQ(log.find("the end") == std::string::npos, reuses) << log;
    return reuses;
  }

  support::TempFolder folder_;
};

TEST_F(ReuseTest, AResultStandsAsLongAsNothingThatDecidesChanged) {
  EXPECT_FALSE(Reuses());
  EXPECT_TRUE(Reuses());
  EXPECT_TRUE(Reuses()) << "a result that was taken over stays";
  Write("README", "none of the inputs");
  EXPECT_TRUE(Reuses());
  Write("src/a", "b");
  EXPECT_FALSE(Reuses());
  Write("src/a", "a");
  EXPECT_TRUE(Reuses());
  fs::permissions(File("src/a"), fs::perms::owner_all);
  EXPECT_FALSE(Reuses()) << "it may be executed now";
  fs::permissions(File("src/a"), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(Reuses({"--input", "level=high"})) << "a step reads it";
  EXPECT_TRUE(Reuses({"--input", "level=high"}));
}

TEST_F(ReuseTest, WhatTheJobIsCountsButNotHowItIsScheduled) {
  EXPECT_FALSE(Reuses());
  Change("timeout: 10m", "timeout: 20m");
  EXPECT_TRUE(Reuses());
  Change("KIND: plain", "KIND: fancy");
  EXPECT_FALSE(Reuses());
  Change("mkdir -p out;", "mkdir -p out  ;");
  EXPECT_FALSE(Reuses());
  Change("paths: [out]", "paths: [out, r.xml]");
  EXPECT_FALSE(Reuses());
}

TEST_F(ReuseTest, ShowsWhoseResultItIsAndItsTests) {
  EXPECT_FALSE(Reuses());
  EXPECT_TRUE(Reuses());
  const support::Ended shown = Dayfly({"show", "latest"});
  EXPECT_THAT(shown.text, HasSubstr("result taken over from run "));
  EXPECT_THAT(Dayfly({"show", "latest", "--tests"}).text, HasSubstr("1 test"));
}

TEST_F(ReuseTest, AFailureAtTheVeryEndIsNotKept) {
  Change("finally: [echo the end]", "finally: [exit 1]");
  for (int i = 0; i < 2; ++i) {
    const support::Ended run = Dayfly({"run", "reuse.yml", "--output", "json"});
    EXPECT_EQ(run.exit_code, 1) << run.text;
    EXPECT_THAT(run.text, Not(HasSubstr("reused")));
  }
}

// The workspace has files where artifacts and reports go: what is taken over is what was made.
TEST_F(ReuseTest, FilesOfTheSourceDoNotGetIn) {
  Write("r.xml", "<testsuite><testcase name='old'><failure/></testcase></testsuite>");
  fs::create_directory(File("out"));
  Write("out/old", "of the source");
  Change("mkdir -p out;", "rm -rf out; mkdir out;");
  EXPECT_FALSE(Reuses());
  const std::string made = Dayfly({"show", "latest"}).text;
  EXPECT_THAT(made, HasSubstr("1 files, 37 bytes"));
  EXPECT_TRUE(Reuses());
  EXPECT_THAT(Dayfly({"show", "latest"}).text, HasSubstr("1 files, 37 bytes"));
  EXPECT_THAT(Dayfly({"show", "latest", "--tests"}).text, HasSubstr("1 test in"));
}

TEST_F(ReuseTest, OneThatLostAPartMakesRoomForTheNext) {
  EXPECT_FALSE(Reuses());
  for (const auto& entry : fs::recursive_directory_iterator(folder_.File("home/chunks"))) {
    if (entry.is_regular_file() && fs::file_size(entry.path()) == 37) {
      fs::resize_file(entry.path(), 3);
    }
  }
  EXPECT_FALSE(Reuses());
  EXPECT_TRUE(Reuses());
}

TEST_F(ReuseTest, AFailureIsNotKept) {
  Write("src/broken", "");
  for (int i = 0; i < 2; ++i) {
    const support::Ended run = Dayfly({"run", "reuse.yml", "--output", "json"});
    EXPECT_EQ(run.exit_code, 1) << run.text;
    EXPECT_THAT(run.text, Not(HasSubstr("reused")));
  }
}

TEST_F(ReuseTest, WithoutItsChunksAResultDoesNotStand) {
  EXPECT_FALSE(Reuses());
  std::size_t removed = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.File("home"))) {
    const bool is_chunk = entry.is_regular_file() &&
                          entry.path().filename().string().size() == 64 &&
                          entry.path().string().find("caches") == std::string::npos;
    removed += is_chunk && fs::remove(entry.path()) ? 1 : 0;
  }
  EXPECT_GT(removed, 2U);
  EXPECT_FALSE(Reuses());
  EXPECT_TRUE(Reuses());
}

TEST_F(ReuseTest, InputsThatMatchNothingKeepNothing) {
  Change("src/**", "none/**");
  EXPECT_FALSE(Reuses());
  EXPECT_FALSE(Reuses());
  EXPECT_THAT(Dayfly({"show", "latest"}).text, HasSubstr("no file is among the `inputs`"));
}

}  // namespace
}  // namespace tests::reuse
