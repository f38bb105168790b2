// SPDX-License-Identifier: Apache-2.0
// `dayfly run` with jobs that wait on purpose, answered from another process.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dayfly_folder.h"

namespace tests::gates {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class GatesTest : public support::DayflyFolder {
 protected:
  static json ReadUntil(support::DayflyProcess& run, const std::string& event) {
    for (std::string line; run.ReadLine(line);) {
      json object = json::parse(line);
      if (object["event"] == event) {
        return object;
      }
    }
    return {};
  }
};

constexpr const char* kAsks = R"yaml(
jobs:
  deploy:
    approval: { inputs: { note: { required: true }, mode: { type: choice, options: [a, b], default: b } } }
    steps: ["echo ${{ approval.inputs.note }} ${{ approval.inputs.mode }}"]
)yaml";

TEST_F(GatesTest, AnAnswerFromAnotherProcessLetsTheJobGoOn) {
  Pipeline(kAsks);
  support::DayflyProcess run(LaunchOf({"run", "p.yml", "--output", "json"}));
  const json asked = ReadUntil(run, "approval_requested");
  EXPECT_EQ(asked["job"], "deploy");
  EXPECT_EQ(asked["reason"], "waits_for_approval");
  EXPECT_THAT(Dayfly({"explain", "latest", "deploy"}).text, HasSubstr("anyone to approve"));
  EXPECT_EQ(Dayfly({"approve", "latest", "deploy"}).exit_code, 2) << "an input is missing";
  EXPECT_EQ(Dayfly({"approve", "latest", "deploy", "--input", "mode=c"}).exit_code, 2);
  EXPECT_EQ(Dayfly({"approve", "latest", "nobody"}).exit_code, 2);
  const support::Ended given = Dayfly({"approve", "latest", "deploy", "--input", "note=go"});
  EXPECT_EQ(given.exit_code, 0);
  EXPECT_THAT(given.text, HasSubstr("deploy approved"));
  EXPECT_EQ(ReadUntil(run, "run_ended")["status"], "succeeded");
  EXPECT_EQ(run.Wait(), 0);
  EXPECT_EQ(Logs("deploy"), "go b\n");
}

TEST_F(GatesTest, ANoEndsTheJobCancelled) {
  Pipeline("jobs: { a: { approval: true, steps: [x] } }");
  support::DayflyProcess run(LaunchOf({"run", "p.yml", "--output", "json"}));
  ReadUntil(run, "approval_requested");
  EXPECT_EQ(Dayfly({"approve", "latest", "a", "--reject"}).exit_code, 0);
  const json ended = ReadUntil(run, "job_ended");
  EXPECT_EQ(ended["status"], "cancelled");
  EXPECT_EQ(ended["reason"], "approval_rejected");
  EXPECT_EQ(run.Wait(), 1);
}

TEST_F(GatesTest, NoApproveAnswersEverythingWithNo) {
  Pipeline("jobs: { a: { approval: true, steps: [x] }, b: { steps: [\"true\"] } }");
  const support::Ended run = Dayfly({"run", "p.yml", "--no-approve", "--output", "json"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.lines.back()["counts"]["succeeded"], 1);
  EXPECT_EQ(run.lines.back()["counts"]["cancelled"], 1);
}

TEST_F(GatesTest, AGroupLetsOneAtATime) {
  Pipeline(R"yaml(
jobs:
  one:
    parallel: 3
    concurrency: g
    steps: ["mkdir $HOME/held; rmdir $HOME/held"]
)yaml");
  const support::Ended run = Dayfly({"run", "p.yml", "--workers", "3", "--output", "json"});
  EXPECT_EQ(run.exit_code, 0) << run.text;
}

TEST_F(GatesTest, AnEffectThatMayBeDoneIsAskedAbout) {
  Pipeline(R"yaml(
jobs:
  ship:
    retry: { max: 1, backoff: { initial: 1s, jitter: 0 } }
    steps:
      - run: echo "$DAYFLY_EFFECT_TOKEN" >> $HOME/tokens; test $DAYFLY_ATTEMPT = 2
        effects: once
)yaml");
  support::DayflyProcess run(LaunchOf({"run", "p.yml", "--output", "json"}));
  EXPECT_EQ(ReadUntil(run, "approval_requested")["reason"], "effect_may_be_done");
  EXPECT_EQ(Dayfly({"approve", "latest", "ship"}).exit_code, 0);
  EXPECT_EQ(ReadUntil(run, "run_ended")["status"], "succeeded");
  EXPECT_EQ(run.Wait(), 0);
  std::ifstream tokens(folder_.File("tokens"));
  std::string first;
  std::string second;
  tokens >> first >> second;
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, second);
}

TEST_F(GatesTest, AStepThatCanTellIsNotRunAgain) {
  Pipeline(R"yaml(
jobs:
  ship:
    retry: { max: 1, backoff: { initial: 1s, jitter: 0 } }
    steps:
      - run: echo x >> $HOME/done; echo ran
        effects: once
        effect_check: test -e $HOME/done
      - run: test $DAYFLY_ATTEMPT = 2
)yaml");
  EXPECT_EQ(Dayfly({"run", "p.yml", "--output", "json"}).exit_code, 0);
  std::ifstream done(folder_.File("done"));
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(done), {}), "x\n");
  EXPECT_THAT(Logs("ship"), HasSubstr("not run again"));
}

TEST_F(GatesTest, FilesOfAFailedJobAreKeptWhenAskedFor) {
  Pipeline(R"yaml(
jobs:
  test:
    artifacts: { when: always, upload: [{ name: report, paths: [report] }] }
    steps: ["echo bad > report; exit 1"]
  read:
    needs: [{ job: test, on: failure }]
    artifacts: { download: [report] }
    steps: [cat report]
)yaml");
  EXPECT_EQ(Dayfly({"run", "p.yml", "--output", "json"}).exit_code, 1);
  EXPECT_EQ(Logs("read"), "bad\n");
}

}  // namespace
}  // namespace tests::gates
