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

  /// `deploy`, for each value of a list that is not known yet.
  static std::shared_ptr<const model::Plan> EachPlan() {
    auto plan = std::make_shared<model::Plan>();
    model::JobSpec& deploy = plan->specs.emplace_back();
    deploy.name = "deploy";
    deploy.matrix = std::make_shared<model::MatrixSpec>();
    deploy.matrix->keys = {"value", "index", "name"};
    deploy.matrix->cell_count = 1;
    deploy.matrix->each = {.list = "x", .at = {}, .second_cell = {}};
    plan->jobs.push_back({.spec = model::SpecIndex(0), .cell = std::vector<model::JsonText>(3)});
    return plan;
  }
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

TEST_P(RunHistoryConformance, TellsWhatWasDeployedByWhichRunAndHowThatWent) {
  const model::RunId run = Accept({"01jd2m0q4x7zk"});
  Claim(run, 1);
  auto found = history_->ListDeployments({.environment = "production"});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(model::IsFinal(found->front().status));
  EXPECT_FALSE(found->front().ended_at.has_value());
  EndJob(run, 1, milliseconds(1), model::Status::kFailed);
  found = history_->ListDeployments({.environment = "production"});
  ASSERT_EQ(found->size(), 1U);
  const model::Deployment expected{.environment = "production",
                                   .url = "https://example.org",
                                   .run = run,
                                   .job = model::JobIndex(1),
                                   .job_name = JobName(*Plan("ci"), model::JobIndex(1)),
                                   .pipeline = "ci",
                                   .source = "https://example.org/app",
                                   .commit = "abc",
                                   .branch = "main",
                                   .event = "manual",
                                   .by = "anna",
                                   .status = model::Status::kFailed,
                                   .reason = {model::ReasonCode::kExitCode, 3, {}, "why"},
                                   .queued_at = kAt + milliseconds(1),
                                   .started_at = kAt + milliseconds(1),
                                   .ended_at = kAt + milliseconds(2)};
  EXPECT_EQ(found->front(), expected);
  EXPECT_TRUE(history_->ListDeployments({.environment = "' OR true --"})->empty());
}

TEST_P(RunHistoryConformance, ListsDeploymentsNewestFirstAndMarksWhatIsThere) {
  const model::RunId first = Accept({"01jc000000000"});
  const model::RunId second = Accept({"01jd2m0q4x7zk"});
  Claim(first, 0);
  EndJob(first, 0, milliseconds(1));
  Claim(first, 1, "test");
  EndJob(first, 1, milliseconds(1));
  Claim(second, 0);
  EndJob(second, 0, milliseconds(1));
  Claim(second, 1);
  EndJob(second, 1, milliseconds(1), model::Status::kFailed);
  const auto name = [](std::uint32_t job) { return JobName(*Plan("ci"), model::JobIndex(job)); };
  const std::string failed = "01jd2m0q4x7zk " + name(1) + " failed";
  const std::string now = "01jd2m0q4x7zk " + name(0) + " succeeded now";
  const std::string before = "01jc000000000 " + name(0) + " succeeded";
  const std::string test = "01jc000000000 " + name(1) + " succeeded now";
  EXPECT_THAT(Deployed({.environment = "production"}), testing::ElementsAre(failed, now, before));
  EXPECT_THAT(Deployed({.limit = 1, .environment = "production"}), testing::ElementsAre(failed));
  EXPECT_THAT(Deployed({.is_overview = true}), testing::ElementsAre(failed, now, test));
  EXPECT_THAT(Deployed({.limit = 1, .is_overview = true}), testing::ElementsAre(failed, now));
}

TEST_P(RunHistoryConformance, SourcesThatNameTheSameEnvironmentHaveOneEach) {
  for (const auto& [id, source] : {std::pair("01jc000000000", "a"), {"01jd2m0q4x7zk", "b"}}) {
    const model::RunId run = Accept({.id = id, .source = source});
    Claim(run, 0);
    EndJob(run, 0, milliseconds(1));
  }
  for (const bool is_overview : {false, true}) {
    EXPECT_THAT(Deployed({.environment = "production", .is_overview = is_overview}),
                testing::ElementsAre(testing::EndsWith(" now"), testing::EndsWith(" now")));
  }
}

TEST_P(RunHistoryConformance, ADeploymentOfAForEachHasItsValueInItsName) {
  const model::RunId run = Accept({.id = "01jd2m0q4x7zk", .plan = EachPlan()});
  Commit(run,
         {{kAt,
           model::JobsExpanded{
               run, {.job = model::JobIndex(0), .values = {{"eu", "\"eu\""}, {"us", "\"us\""}}}}}},
         {});
  Claim(run, 0);
  Claim(run, 1);
  EXPECT_THAT(Deployed({}), testing::ElementsAre(testing::HasSubstr(" deploy[us] "),
                                                 testing::HasSubstr(" deploy[eu] ")));
}

}  // namespace tests::support
