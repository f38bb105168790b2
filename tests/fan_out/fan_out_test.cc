// SPDX-License-Identifier: Apache-2.0
// `dayfly run` with `for_each`: seen while it runs, asked about afterwards, retried, resumed.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dayfly_folder.h"

namespace tests::fan_out {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class FanOut : public support::DayflyFolder {
 protected:
  static std::vector<std::string> Ended(const support::Ended& run, const std::string& status) {
    std::vector<std::string> jobs;
    for (const json& line : run.lines) {
      if (line["event"] == "job_ended" && line["status"] == status) {
        jobs.push_back(line["job"]);
      }
    }
    return jobs;
  }
};

constexpr const char* kRegions = R"yaml(
jobs:
  list:
    outputs: { regions: "${{ steps.find.outputs.regions }}" }
    steps:
      - id: find
        run: echo 'regions=["eu", {"name":"us","slow":true}, "eu"]' >> "$DAYFLY_OUTPUT"
  deploy:
    needs: [list]
    for_each: { values: "${{ fromJSON(needs.list.outputs.regions) }}", fail_fast: false }
    env: { AT: "${{ each.index }}" }
    steps:
      - "echo '${{ each.name }}' $AT $DAYFLY_JOB ${{ toJSON(each.value.slow) }}"
      - "test ! -e $HOME/broken-$AT"
  report:
    needs: [deploy]
    steps: ["echo ${{ needs.deploy.result }}"]
)yaml";

TEST_F(FanOut, OneJobBecomesAsManyAsThereAreValues) {
  Pipeline(kRegions);
  const support::Ended run = Dayfly({"run", "p.yml", "--output", "json"});
  EXPECT_EQ(run.exit_code, 0) << run.text;
  EXPECT_THAT(Ended(run, "succeeded"),
              UnorderedElementsAre("list", "deploy[eu]", "deploy[us]", "deploy[eu~3]", "report"));
  EXPECT_EQ(run.lines.back()["counts"]["succeeded"], 5);
  const auto grown = std::ranges::find_if(
      run.lines, [](const json& line) { return line["event"] == "jobs_expanded"; });
  ASSERT_NE(grown, run.lines.end());
  EXPECT_EQ((*grown)["job"], "deploy");
  EXPECT_EQ((*grown)["jobs"], 3);
  EXPECT_EQ(Logs("deploy[eu]"), "eu 1 deploy[eu] null\n");
  EXPECT_EQ(Logs("deploy[us]"), "us 2 deploy[us] true\n");
  EXPECT_EQ(Logs("deploy[eu~3]"), "eu~3 3 deploy[eu~3] null\n");
  EXPECT_EQ(Logs("report"), "succeeded\n");
  EXPECT_THAT(Dayfly({"show", "latest"}).text, HasSubstr("deploy[us]"));
}

TEST_F(FanOut, APersonSeesHowManyThereAre) {
  Pipeline(kRegions);
  const support::Ended run = Dayfly({"run", "p.yml", "--output", "plain"});
  EXPECT_THAT(run.text, HasSubstr("deploy: 3 jobs, one for each value"));
}

TEST_F(FanOut, ARetryRunsWhatFailedWithTheSameValues) {
  Pipeline(kRegions);
  std::ofstream(folder_.File("broken-2")) << "";
  const support::Ended first = Dayfly({"run", "p.yml", "--output", "json"});
  EXPECT_EQ(first.exit_code, 1) << first.text;
  EXPECT_THAT(Ended(first, "failed"), ElementsAre("deploy[us]"));
  std::filesystem::remove(folder_.File("broken-2"));
  const support::Ended retry = Dayfly({"retry", "latest", "--failed", "--output", "json"});
  EXPECT_EQ(retry.exit_code, 0) << retry.text;
  std::vector<std::string> started;
  for (const json& line : retry.lines) {
    if (line["event"] == "job_started") {
      started.push_back(line["job"]);
    }
  }
  EXPECT_THAT(started, ElementsAre("deploy[us]", "report"));
  EXPECT_EQ(retry.lines.back()["counts"]["succeeded"], 5);
  const support::Ended whole = Dayfly({"retry", "latest", "--output", "json"});
  EXPECT_EQ(whole.lines.back()["counts"]["succeeded"], 5) << whole.text;
}

TEST_F(FanOut, AnEmptyListSkipsAndAWrongOneFails) {
  Pipeline(R"yaml(
jobs:
  none:
    for_each: ${{ fromJSON('[]') }}
    steps: ["false"]
  after:
    needs: [none]
    steps: ["true"]
  wrong:
    for_each: ${{ branch }}
    steps: ["true"]
)yaml");
  const support::Ended run = Dayfly({"run", "p.yml", "--output", "json"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(Ended(run, "skipped"), ElementsAre("none"));
  EXPECT_THAT(Ended(run, "succeeded"), ElementsAre("after"));
  EXPECT_THAT(Ended(run, "failed"), ElementsAre("wrong"));
  EXPECT_THAT(Dayfly({"explain", "latest", "wrong"}).text, HasSubstr("p.yml:10"));
  EXPECT_THAT(Dayfly({"explain", "latest", "none"}).text, HasSubstr("fromJSON('[]')"));
}

// Killed while the second of three runs: the values stand in the log, so the rest goes on.
TEST_F(FanOut, AResumedRunHasTheSameJobs) {
  Pipeline(R"yaml(
jobs:
  work:
    for_each: { values: "${{ fromJSON('[1, 2, 3]') }}", max_parallel: 1 }
    steps: ["test ${{ each.value }} != 2 || test -e $HOME/again || sleep 600"]
)yaml");
  support::RunDayfly(LaunchOf({"run", "p.yml", "--output", "json"}), [](const json& line) {
    return line["event"] == "step_started" && line["job"] == "work[2]";
  });
  ASSERT_TRUE(support::WaitForOrphans(30));
  std::ofstream(folder_.File("again")) << "";
  const support::Ended resumed = Dayfly({"run", "--resume", "latest", "--output", "json"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.text;
  EXPECT_EQ(resumed.lines.back()["counts"]["succeeded"], 3);
}

TEST_F(FanOut, APlanShowsOneJobAndWhereTheListComesFrom) {
  Pipeline(kRegions);
  EXPECT_THAT(Dayfly({"plan", "p.yml"}).text,
              HasSubstr("one for each value of fromJSON(needs.list.outputs.regions)"));
}

TEST_F(FanOut, FilesOfCellsAreMergedUnlessTheyDiffer) {
  const auto pipeline = [](const std::string& file) {
    return R"yaml(
jobs:
  make:
    matrix: { os: [a, b] }
    artifacts: { upload: [{ name: bin, paths: [out] }] }
    steps: ["mkdir out; echo ${{ matrix.os }} > out/)yaml" +
           file + R"yaml("]
  take:
    needs: [{ job: make, artifacts: [bin] }]
    steps: ["cat out/*"]
)yaml";
  };
  Pipeline(pipeline("${{ matrix.os }}"));
  EXPECT_EQ(Dayfly({"run", "p.yml"}).exit_code, 0);
  EXPECT_EQ(Logs("take"), "a\nb\n");
  Pipeline(pipeline("same"));
  const support::Ended run = Dayfly({"run", "p.yml"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.text, HasSubstr("'out/same' is in 'bin' of several jobs"));
  EXPECT_THAT(run.text, HasSubstr("`${{ matrix.os }}`"));
}

}  // namespace
}  // namespace tests::fan_out
