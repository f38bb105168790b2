// SPDX-License-Identifier: Apache-2.0
// `dayfly deployments` of this machine's own runs: those that are over, those that are under way,
// and those whose process was killed.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::gates {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class DeploymentsTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_.File("source")); }
  /// Deploys by `command`.
  void Pipeline(const std::string& command) {
    std::ofstream(folder_.File("source/p.yml")) << fmt::format(R"yaml(
name: ship
jobs:
  deploy:
    environment: {{ name: production, url: "https://example.org" }}
    steps:
      - run: {}
)yaml",
                                                               command);
  }
  support::Launch Launch(std::vector<std::string> arguments,
                         const std::string& extra = "A=") const {
    return {.arguments = std::move(arguments),
            .env = {"DAYFLY_HOME=" + folder_.File("home"), "HOME=" + folder_.path().string(),
                    "PATH=/usr/bin:/bin", extra},
            .folder = folder_.File("source"),
            .errors = folder_.File("errors"),
            .output = {},
            .close_streams = false};
  }
  support::Ended Dayfly(std::vector<std::string> arguments) const {
    return support::RunDayfly(Launch(std::move(arguments)));
  }
  support::Ended RunIt(const std::string& extra = "A=") const {
    return support::RunDayfly(Launch({"run", "p.yml", "--output", "json"}, extra));
  }
  /// Until the step begins: then killed.
  std::string RunAndKill() const {
    const support::Ended killed =
        support::RunDayfly(Launch({"run", "p.yml", "--output", "json"}),
                           [](const json& line) { return line["event"] == "step_started"; });
    EXPECT_TRUE(support::WaitForOrphans(60));
    return killed.lines.back()["run"];
  }
  support::Lines Production() const {
    const support::Ended listed = Dayfly({"deployments", "production", "--format", "json"});
    EXPECT_EQ(listed.exit_code, 0);
    return listed.lines;
  }
  std::string Errors() const {
    std::ifstream file(folder_.File("errors"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  support::TempFolder folder_;
};

TEST_F(DeploymentsTest, NothingFoundSaysSo) {
  EXPECT_THAT(Dayfly({"deployments"}).text, HasSubstr("no deployment is kept in "));
  EXPECT_EQ(Dayfly({"deployments", "--format", "json"}).text, "");
  EXPECT_EQ(Dayfly({"deployments", "production"}).exit_code, 2);
  Pipeline("'true'");
  RunIt();
  EXPECT_EQ(Dayfly({"deployments", "prodution"}).exit_code, 2);
  EXPECT_THAT(Errors(), HasSubstr("did you mean 'production'?"));
}

TEST_F(DeploymentsTest, TheHistoryOfAnEnvironmentAndWhatItHasNow) {
  Pipeline("'true'");
  const std::string first = RunIt().lines.front()["run"];
  Pipeline("exit 3");
  const std::string second = RunIt().lines.front()["run"];
  const support::Lines listed = Production();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0]["run"], second);
  EXPECT_EQ(listed[0]["status"], "failed");
  EXPECT_EQ(listed[0]["message"], "exit code 3");
  EXPECT_EQ(listed[0]["current"], false);
  EXPECT_EQ(listed[1]["run"], first);
  EXPECT_EQ(listed[1]["status"], "succeeded");
  EXPECT_EQ(listed[1]["current"], true);
  EXPECT_EQ(listed[1]["job"], "deploy");
  EXPECT_EQ(listed[1]["pipeline"], "ship");
  EXPECT_EQ(listed[1]["url"], "https://example.org");
  EXPECT_FALSE(listed[1]["by"].get<std::string>().empty());
  EXPECT_GT(listed[1]["took_us"], 0);
  const json overview = Dayfly({"deployments", "--format", "json"}).lines.at(0);
  EXPECT_EQ(overview["current"], listed[1]);
  EXPECT_EQ(overview["newest"], listed[0]);
  EXPECT_EQ(Dayfly({"deployments", "production", "--limit", "1", "--format", "json"}).lines.size(),
            1U);
}

TEST_F(DeploymentsTest, OneThatWasKilledIsUnfinishedUntilItsRunIsResumed) {
  Pipeline("test -e $HOME/go || sleep 1000");
  const std::string run = RunAndKill();
  support::Lines listed = Production();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["status"], "running");
  EXPECT_EQ(listed[0]["alive"], false);
  EXPECT_THAT(Dayfly({"deployments"}).text, HasSubstr("unfinished"));
  std::ofstream(folder_.File("go")) << "go";
  EXPECT_EQ(Dayfly({"run", "--resume", run}).exit_code, 0);
  listed = Production();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["status"], "succeeded");
  EXPECT_EQ(listed[0]["current"], true);
}

// What is durable is told, whether or not the index of runs has heard of it.
TEST_F(DeploymentsTest, KilledBehindAnyCommitItSaysWhatTheRunSays) {
  Pipeline("'true'");
  std::size_t deployed = 0;
  for (int commit = 1;
       RunIt(fmt::format("DAYFLY_CRASH_POINT=commit_done_effect_not:{}", commit)).exit_code != 0;
       ++commit) {
    ASSERT_LT(commit, 50) << "it never ends well";
    EXPECT_TRUE(support::WaitForOrphans(60));
    const json run = json::parse(Dayfly({"show", "latest", "--format", "json"}).text);
    const json& job = run["jobs"][0];
    const support::Lines listed = Dayfly({"deployments", "production", "--format", "json"}).lines;
    deployed += job["environment"].is_string() ? 1 : 0;
    ASSERT_EQ(listed.size(), deployed) << run;
    if (job["environment"].is_string()) {
      EXPECT_EQ(listed[0]["run"], run["run"]);
      EXPECT_EQ(listed[0]["status"], job["status"]);
    }
    EXPECT_EQ(Dayfly({"run", "--resume", run["run"]}).exit_code, 0);
    const support::Lines ended = Dayfly({"deployments", "production", "--format", "json"}).lines;
    deployed += job["environment"].is_string() ? 0 : 1;
    ASSERT_EQ(ended.size(), deployed);
    EXPECT_EQ(ended[0]["status"], "succeeded");
    EXPECT_EQ(ended[0]["current"], true);
  }
  EXPECT_GE(deployed, 3U);
}

// Whatever the index of runs missed: it is a convenience.
TEST_F(DeploymentsTest, TheSameWithoutTheIndex) {
  Pipeline("'true'");
  RunIt();
  RunIt();
  const support::Lines before = Production();
  ASSERT_EQ(before.size(), 2U);
  for (const char* file : {"index.db", "index.db-wal", "index.db-shm"}) {
    std::filesystem::remove(folder_.path() / "home" / file);
  }
  EXPECT_EQ(Production(), before);
  RunIt();
  EXPECT_EQ(Production().size(), 3U) << "an index that begins with the third";
}

}  // namespace
}  // namespace tests::gates
