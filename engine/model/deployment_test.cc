// SPDX-License-Identifier: Apache-2.0
#include "engine/model/deployment.h"

#include <memory>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sample_facts.h"

namespace engine::model {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using tests::support::PlainPlan;

constexpr RunId kRun(7);
constexpr JobIndex kJob(1);
constexpr AttemptKey kAttempt{kRun, kJob, 1};
constexpr base::Instant kAt = base::InstantFromMicros(1'700'000'000'000'000);

class RunDeploymentsTest : public ::testing::Test {
 protected:
  void Claim(const std::string& environment, JobIndex job = kJob) {
    RunContext context;
    context.source = "/app";
    context.by = "anna";
    JobQueued queued;
    queued.run = kRun;
    queued.job = job;
    queued.environment = environment;
    queued.environment_url = "https://example.org";
    deployments_.Claim(queued, kAt, context, PlainPlan(3));
  }
  void After(milliseconds later, FactBody body) {
    deployments_.Apply({kAt + later, std::move(body)});
  }
  static JobEnded Ended(Status status, Reason reason = {}) {
    auto result = std::make_shared<JobResult>();
    result->status = status;
    result->reason = std::move(reason);
    return {.run = kRun, .job = kJob, .result = std::move(result)};
  }
  Deployment Only() const {
    const std::vector<Deployment> all = deployments_.List();
    EXPECT_EQ(all.size(), 1U);
    return all.at(0);
  }
  RunDeployments deployments_;
};

TEST_F(RunDeploymentsTest, AClaimSaysWhatIsBroughtWhere) {
  Claim("");
  EXPECT_TRUE(deployments_.List().empty()) << "a group and no environment";
  Claim("production");
  const Deployment claimed = Only();
  EXPECT_EQ(claimed.environment, "production");
  EXPECT_EQ(claimed.url, "https://example.org");
  EXPECT_EQ(claimed.job_name, JobName(PlainPlan(3), kJob));
  EXPECT_EQ(claimed.source, "/app");
  EXPECT_EQ(claimed.by, "anna");
  EXPECT_EQ(claimed.status, Status::kWaiting);
  EXPECT_EQ(claimed.queued_at, kAt);
  EXPECT_FALSE(claimed.started_at.has_value());
}

TEST_F(RunDeploymentsTest, FollowsTheJobToItsEnd) {
  Claim("production");
  After(milliseconds(1), JobReadied{.run = kRun, .job = kJob, .queue_deadline = {}, .env = {}});
  EXPECT_EQ(Only().status, Status::kReady);
  After(milliseconds(5), AttemptStarted{.key = kAttempt, .slot = 0, .deadline = {}});
  EXPECT_EQ(Only().status, Status::kRunning);
  EXPECT_EQ(Only().started_at, kAt + milliseconds(5));
  AttemptEnded attempt;
  attempt.key = kAttempt;
  attempt.took = milliseconds(3);
  After(milliseconds(9), attempt);
  After(milliseconds(9), Ended(Status::kFailed, {.code = ReasonCode::kExitCode, .detail = 2}));
  EXPECT_EQ(Only().status, Status::kFailed);
  EXPECT_EQ(Only().reason.detail, 2);
  EXPECT_EQ(Only().started_at, kAt + milliseconds(6));
  EXPECT_EQ(Only().ended_at, kAt + milliseconds(9));
}

TEST_F(RunDeploymentsTest, OneThatIsTriedAgainHasNotBegun) {
  Claim("production");
  After(milliseconds(5), AttemptStarted{.key = kAttempt, .slot = 0, .deadline = {}});
  AttemptEnded attempt;
  attempt.key = kAttempt;
  attempt.took = milliseconds(3);
  After(milliseconds(8), attempt);
  After(milliseconds(8), JobBackedOff{.run = kRun, .job = kJob, .reason = {}});
  EXPECT_EQ(Only().status, Status::kWaiting);
  EXPECT_FALSE(Only().started_at.has_value());
  After(milliseconds(9), Ended(Status::kCancelled));
  EXPECT_EQ(Only().status, Status::kCancelled);
  EXPECT_FALSE(Only().started_at.has_value());
}

TEST_F(RunDeploymentsTest, OtherJobsChangeNothing) {
  Claim("production", JobIndex(2));
  After(milliseconds(9), Ended(Status::kFailed));
  EXPECT_EQ(Only().status, Status::kWaiting);
}

// ---- choosing

/// `name`: the commit, by which the tests tell them apart.
Deployment At(const char* name, int queued, int ended, Status status = Status::kSucceeded,
              const char* environment = "production", const char* source = "/app") {
  Deployment out;
  out.environment = environment;
  out.source = source;
  out.commit = name;
  out.run = RunId(static_cast<std::uint64_t>(queued));
  out.status = status;
  out.queued_at = kAt + milliseconds(queued);
  if (ended > 0) {
    out.ended_at = kAt + milliseconds(ended);
  }
  return out;
}

std::vector<std::string> Names(const std::vector<Deployment>& deployments) {
  std::vector<std::string> names;
  for (const Deployment& each : deployments) {
    names.push_back(each.commit + (each.is_current ? " now" : ""));
  }
  return names;
}

TEST(SelectDeployments, ListsTheNewestFirstAndMarksTheNewestSuccess) {
  const std::vector<Deployment> known = {At("a", 1, 2), At("b", 3, 4),
                                         At("c", 5, 6, Status::kFailed),
                                         At("d", 7, 0, Status::kRunning)};
  EXPECT_THAT(Names(SelectDeployments(known, {.environment = "production"})),
              ElementsAre("d", "c", "b now", "a"));
  EXPECT_THAT(Names(SelectDeployments(known, {.limit = 1})), ElementsAre("d"));
  EXPECT_TRUE(SelectDeployments(known, {.environment = "prod"}).empty());
}

// Locally nothing keeps two runs from deploying at once: what is there is what ended last.
TEST(SelectDeployments, WhatEndedLastIsThere) {
  EXPECT_THAT(Names(SelectDeployments({At("late", 1, 9), At("soon", 3, 4)}, {})),
              ElementsAre("soon", "late now"));
}

TEST(SelectDeployments, AToleratedFailureBroughtNothing) {
  EXPECT_THAT(Names(SelectDeployments({At("a", 1, 2, Status::kWarned)}, {})), ElementsAre("a"));
}

TEST(SelectDeployments, AnOverviewHasTheNewestAndTheCurrentOfEachEnvironment) {
  const std::vector<Deployment> known = {
      At("a", 1, 2),
      At("b", 3, 4, Status::kFailed),
      At("c", 5, 6, Status::kFailed),
      At("test", 9, 10, Status::kSucceeded, "test"),
      At("other", 4, 5, Status::kSucceeded, "production", "/elsewhere"),
      At("never", 2, 3, Status::kFailed, "stage")};
  EXPECT_THAT(Names(SelectDeployments(known, {.is_overview = true})),
              ElementsAre("test now", "c", "a now", "other now", "never"));
  EXPECT_THAT(Names(SelectDeployments(known, {.limit = 2, .is_overview = true})),
              ElementsAre("test now", "c", "a now"));
}

}  // namespace
}  // namespace engine::model
