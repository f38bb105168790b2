// SPDX-License-Identifier: Apache-2.0
// What every `RunHistory` of a server tells of what its `RunStore` committed. A store's own test
// program includes this once and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, RunHistoryConformance, testing::Values(MakeSqliteScene));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_history_fixture.h"

namespace tests::support {

class RunHistoryConformance : public RunHistoryFixture,
                              public testing::WithParamInterface<MakeHistoryScene> {
 protected:
  void SetUp() override { Open(GetParam()()); }
};

TEST_P(RunHistoryConformance, AnOpenRunIsRunningAndAnEndedOneSaysHow) {
  const model::RunId run = Accept({"01jd2m0q4x7zk"});
  auto row = history_->FindRun("01jd2m0q4x7zk");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->run, run);
  EXPECT_EQ(row->pipeline, "ci");
  EXPECT_EQ(row->pipeline_file, ".dayfly/ci.yml");
  EXPECT_EQ(row->commit, "abc");
  EXPECT_EQ(row->branch, "main");
  EXPECT_EQ(row->status, model::Status::kRunning);
  EXPECT_EQ(row->accepted_at, kAt);
  EXPECT_FALSE(row->ended_at.has_value());
  EndRun(run, model::Status::kFailed);
  row = history_->FindRun("01jd2");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->status, model::Status::kFailed);
  EXPECT_EQ(row->ended_at, kAt + milliseconds(7));
  EXPECT_THAT(row->counts, testing::ElementsAre(0, 0, 0, 2, 0, 0, 0, 0, 5));
}

// The ids are of three days.
TEST_P(RunHistoryConformance, ListsTheNewestFirstOverAllDays) {
  for (const char* id : {"01jd2m0q4x7zk", "01jd2m0q4x7zm", "01jc000000000", "01je000000000"}) {
    Accept({id});
  }
  EXPECT_THAT(Listed({.limit = 3}),
              testing::ElementsAre("01je000000000", "01jd2m0q4x7zm", "01jd2m0q4x7zk"));
}

TEST_P(RunHistoryConformance, FiltersByWhatIsAsked) {
  Accept({"01jd2m0q4x7zk"});
  const model::RunId other = Accept(
      {.id = "01jd2m0q4x7zm", .branch = "dev", .source = "elsewhere", .plan = Plan("nightly")});
  EndRun(other, model::Status::kFailed);
  for (const ports::RunFilter& filter :
       {ports::RunFilter{.branch = "dev"}, ports::RunFilter{.pipeline = "nightly"},
        ports::RunFilter{.source = "elsewhere"},
        ports::RunFilter{.status = model::Status::kFailed}}) {
    EXPECT_THAT(Listed(filter), testing::ElementsAre("01jd2m0q4x7zm"));
  }
  EXPECT_THAT(Listed({.status = model::Status::kRunning}), testing::ElementsAre("01jd2m0q4x7zk"));
  EXPECT_THAT(Listed({.pipeline = "' OR true --"}), testing::ElementsAre());
}

TEST_P(RunHistoryConformance, FindsByAPrefixOrSaysWhyNot) {
  Accept({"01jd2m0q4x7zk"});
  Accept({"01jd2m0q4x7zm"});
  EXPECT_TRUE(history_->FindRun("O1JD2M0Q4X7ZM").ok());
  EXPECT_EQ(history_->FindRun("01je").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(history_->FindRun("'--").status().code(), absl::StatusCode::kInvalidArgument);
  const auto row = history_->FindRun("01jd");
  EXPECT_EQ(row.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(base::Message(row.status())),
      testing::AllOf(testing::HasSubstr("01jd2m0q4x7zm"), testing::HasSubstr("01jd2m0q4x7zk")));
}

TEST_P(RunHistoryConformance, TellsHowTheJobsOfARunEnded) {
  const model::RunId run = Accept({"01jd2m0q4x7zk"});
  EndJob(run, 1, milliseconds(30), model::Status::kFailed);
  EndJob(run, 0, milliseconds(20));
  EndJob(Accept({"01jd2m0q4x7zm"}), 2, milliseconds(10));
  const auto jobs = history_->JobsOf(run);
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_EQ(jobs->size(), 2U);
  EXPECT_EQ((*jobs)[0].status, model::Status::kSucceeded);
  const ports::JobRow failed = {.job = model::JobIndex(1),
                                .status = model::Status::kFailed,
                                .reason = {model::ReasonCode::kExitCode, 3, {}, "why"},
                                .at = kAt + milliseconds(1),
                                .attempt = 2,
                                .took = milliseconds(30)};
  EXPECT_EQ((*jobs)[1], failed);
  EXPECT_TRUE(history_->JobsOf(model::RunId(5))->empty());
}

TEST_P(RunHistoryConformance, AKeyAnswersItsFirstRunAlsoWhenThatIsClosed) {
  EXPECT_EQ(*history_->FindKey("k"), std::nullopt);
  const model::RunId run = Accept({.id = "01jd2m0q4x7zk", .key = "k"});
  EndRun(run, model::Status::kSucceeded);
  Accept({.id = "01jd2m0q4x7zm", .key = "k"});
  const auto found = history_->FindKey("k");
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->run, run);
  EXPECT_EQ((*found)->context->commit, "abc");
  EXPECT_EQ(*history_->FindKey(""), std::nullopt) << "no key is no key";
}

}  // namespace tests::support
