// SPDX-License-Identifier: Apache-2.0
#include "store/codec/history.h"

#include <gtest/gtest.h>

#include "tests/support/sample_facts.h"

namespace store::codec {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using tests::support::FactsOfPlainJob;

constexpr std::int64_t kMillis = 1'700'000'000'000;
constexpr model::RunId kRun((static_cast<std::uint64_t>(kMillis) << 20) | 0xabcde);
constexpr base::Instant kAt = base::InstantFromMicros(kMillis * 1000);

HistoryRows Project(std::vector<model::Fact> facts) {
  HistoryRows rows;
  ProjectHistory({kRun, std::move(facts)}, rows);
  return rows;
}

TEST(History, AJobThatAnAttemptEndedNamesTheAttempt) {
  const HistoryRows rows = Project(FactsOfPlainJob(kRun, model::JobIndex(4), kAt));
  ASSERT_EQ(rows.jobs.size(), 1U);
  EXPECT_EQ(rows.jobs[0].job, model::JobIndex(4));
  EXPECT_EQ(rows.jobs[0].status, model::Status::kSucceeded);
  EXPECT_EQ(rows.jobs[0].attempt, 1U);
  EXPECT_EQ(rows.jobs[0].took, std::chrono::microseconds(455));
  EXPECT_TRUE(rows.runs.empty());
}

TEST(History, ASkippedJobNamesNone) {
  std::vector<model::Fact> facts = FactsOfPlainJob(kRun, model::JobIndex(4), kAt);
  auto result = std::make_shared<model::JobResult>();
  result->status = model::Status::kSkipped;
  facts.push_back({kAt, model::JobEnded{kRun, model::JobIndex(5), result}});
  const HistoryRows rows = Project(facts);
  ASSERT_EQ(rows.jobs.size(), 2U);
  EXPECT_EQ(rows.jobs[1].attempt, 0U);
  EXPECT_EQ(rows.jobs[1].took, base::Duration(0));
}

TEST(History, ARunHasOneRowWhenAcceptedAndOneWhenEnded) {
  model::RunAccepted accepted;
  accepted.run = kRun;
  auto context = std::make_shared<model::RunContext>();
  context->branch = "main";
  accepted.context = context;
  model::RunEnded ended;
  ended.run = kRun;
  ended.counts[3] = 9;
  const HistoryRows rows = Project({{kAt, accepted}, {kAt, ended}});
  ASSERT_EQ(rows.runs.size(), 2U);
  EXPECT_FALSE(rows.runs[0].ended);
  EXPECT_EQ(rows.runs[0].branch, "main");
  EXPECT_TRUE(rows.runs[1].ended);
  EXPECT_EQ(rows.runs[1].counts[3], 9U);
}

TEST(History, AJobThatClaimsAnEnvironmentHasARow) {
  model::JobQueued queued;
  queued.run = kRun;
  queued.job = model::JobIndex(4);
  EXPECT_TRUE(Project({{kAt, queued}}).deployments.empty()) << "a group and no environment";
  queued.environment = "production";
  queued.environment_url = "https://example.org";
  const HistoryRows rows = Project({{kAt, queued}});
  ASSERT_EQ(rows.deployments.size(), 1U);
  const DeploymentHistoryRow expected{.run = kRun,
                                      .job = model::JobIndex(4),
                                      .at = kAt,
                                      .environment = "production",
                                      .url = "https://example.org"};
  EXPECT_EQ(rows.deployments[0], expected);
}

TEST(History, TheDayIsThatOfTheRun) {
  EXPECT_EQ(DayOf({kRun, {}}), kMillis / 86'400'000);
  EXPECT_EQ(DayOf({model::RunId(), {{kAt, model::WorkerRecovered{}}}}), kMillis / 86'400'000);
  EXPECT_EQ(DayOf({model::RunId(), {}}), 0);
  EXPECT_EQ(DayOf({model::RunId(), {{base::InstantFromMicros(-1), model::WorkerRecovered{}}}}), 0);
}

}  // namespace
}  // namespace store::codec
