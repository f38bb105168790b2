// SPDX-License-Identifier: Apache-2.0
#include "apps/view/json_lines.h"

#include <string>

#include <gtest/gtest.h>

#include "apps/view/sample_run.h"

namespace apps::view {
namespace {

using model::ReasonCode;
using model::Status;
using std::chrono::milliseconds;

class JsonLinesTest : public testing::Test {
 protected:
  std::string Show(const model::Fact& fact) {
    std::string out;
    board_.Apply(fact);
    lines_.Fact(board_, fact, out);
    return out;
  }

  Board board_{SampleRun::Run(), SamplePlan()};
  SampleRun run_;
  JsonLines lines_;
};

constexpr const char* kHead = R"({"at":"2026-01-31T12:34:56.000000Z","run":"028t5cy4tqkff",)";

std::string Line(std::string_view rest) {
  return std::string(kHead) + std::string(rest) + "\n";
}

TEST_F(JsonLinesTest, TellsAnAttemptFromItsStartToItsEnd) {
  EXPECT_EQ(
      Show(run_.Accepted()),
      Line(
          R"("job":null,"attempt":null,"step":null,"event":"run_started","status":"running","exit_code":null,"reason":null})"));
  EXPECT_EQ(Show(run_.Assigned(0)), "");
  EXPECT_EQ(
      Show(run_.Started(0)),
      Line(
          R"("job":"compile","attempt":null,"step":null,"event":"job_started","status":"running","exit_code":null,"reason":null})") +
          Line(
              R"("job":"compile","attempt":1,"step":null,"event":"attempt_started","status":"running","exit_code":null,"reason":null})"));
  EXPECT_EQ(
      Show(run_.StepStarted(0, 0)),
      Line(
          R"("job":"compile","attempt":1,"step":"make","event":"step_started","status":"running","exit_code":null,"reason":null})"));
  EXPECT_EQ(
      Show(run_.StepEnded(0, 0, Status::kSucceeded)),
      Line(
          R"("job":"compile","attempt":1,"step":"make","event":"step_ended","status":"succeeded","exit_code":0,"reason":null})"));
  EXPECT_EQ(
      Show(run_.StepEnded(0, 1, Status::kFailed, SampleRun::Exit(2))),
      Line(
          R"("job":"compile","attempt":1,"step":"2","event":"step_ended","status":"failed","exit_code":2,"reason":"exit_code","message":"exit code 2"})"));
  EXPECT_EQ(
      Show(run_.AttemptEnded(0, Status::kFailed, SampleRun::Exit(2))),
      Line(
          R"("job":"compile","attempt":1,"step":null,"event":"attempt_ended","status":"failed","exit_code":2,"reason":"exit_code","message":"exit code 2"})"));
  EXPECT_EQ(
      Show(run_.JobEnded(0, Status::kFailed, SampleRun::Exit(2))),
      Line(
          R"("job":"compile","attempt":null,"step":null,"event":"job_ended","status":"failed","exit_code":2,"reason":"exit_code","message":"exit code 2"})"));
}

TEST_F(JsonLinesTest, StartsAJobOnceHoweverManyAttempts) {
  Show(run_.Accepted());
  Show(run_.Started(1, 1));
  Show(run_.AttemptEnded(1, Status::kFailed, SampleRun::Exit(1), 1));
  EXPECT_EQ(
      Show(run_.Started(1, 2)),
      Line(
          R"("job":"unit[core]","attempt":2,"step":null,"event":"attempt_started","status":"running","exit_code":null,"reason":null})"));
}

TEST_F(JsonLinesTest, GivesASkippedJobOnlyItsEnd) {
  Show(run_.Accepted());
  EXPECT_EQ(
      Show(run_.JobEnded(3, Status::kSkipped, SampleRun::Because(ReasonCode::kNeedNotMet, "unit"))),
      Line(
          R"("job":"ship","attempt":null,"step":null,"event":"job_ended","status":"skipped","exit_code":null,"reason":"need_not_met","message":"unit did not end as needed"})"));
}

TEST_F(JsonLinesTest, EndsStepsThatNobodyWillReportWithTheirAttempt) {
  Show(run_.Accepted());
  Show(run_.Started(1));
  Show(run_.StepStarted(1, 0));
  const std::string lines = Show(
      run_.AttemptEnded(1, Status::kFailed, SampleRun::Because(ReasonCode::kWorkerLost, "killed")));
  EXPECT_EQ(
      lines,
      Line(
          R"("job":"unit[core]","attempt":1,"step":"run","event":"step_ended","status":"failed","exit_code":null,"reason":"worker_lost","message":"worker lost: killed"})") +
          Line(
              R"("job":"unit[core]","attempt":1,"step":null,"event":"attempt_ended","status":"failed","exit_code":null,"reason":"worker_lost","message":"worker lost: killed"})"));
}

TEST_F(JsonLinesTest, SaysNothingOfAnAttemptThatNeverBegan) {
  Show(run_.Accepted());
  Show(run_.Assigned(1));
  EXPECT_EQ(Show(run_.AttemptEnded(1, Status::kCancelled)), "");
}

TEST_F(JsonLinesTest, EndsTheRunWithCountsOfAllFinalStatuses) {
  Show(run_.Accepted());
  for (std::uint32_t job = 0; job < 4; ++job) {
    Show(run_.JobEnded(job, job == 2 ? Status::kFailed : Status::kSucceeded));
  }
  EXPECT_EQ(
      Show(run_.RunEnded(Status::kFailed, board_)),
      Line(
          R"("job":null,"attempt":null,"step":null,"event":"run_ended","status":"failed","exit_code":null,"reason":null,"counts":{"succeeded":3,"failed":1,"warned":0,"skipped":0,"cancelled":0,"timed_out":0}})"));
}

TEST_F(JsonLinesTest, AResumedRunBeginsWithThatAndRepeatsNothing) {
  board_.Apply(run_.Accepted());
  board_.Apply(run_.Started(1));
  std::string out;
  lines_.Resumed(board_, run_.now(), out);
  EXPECT_EQ(
      out,
      Line(
          R"("job":null,"attempt":null,"step":null,"event":"run_resumed","status":"running","exit_code":null,"reason":null})"));
  const std::string next = Show(run_.Started(1, 2));
  EXPECT_EQ(next.find("job_started"), std::string::npos);
  EXPECT_NE(next.find("attempt_started"), std::string::npos);
}

}  // namespace
}  // namespace apps::view
