// SPDX-License-Identifier: Apache-2.0
#include "apps/view/run_details.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/view/sample_run.h"

namespace apps::view {
namespace {

using model::ReasonCode;
using model::Status;
using ::testing::HasSubstr;

TEST(RunDetails, AStepThatWasLostTookUntilItsAttemptEnded) {
  SampleRun run;
  Board board(SampleRun::Run(), SamplePlan());
  board.Apply(run.Accepted());
  board.Apply(run.Started(1));
  board.Apply(run.StepStarted(1, 0));
  run.After(std::chrono::seconds(7));
  board.Apply(
      run.AttemptEnded(1, Status::kFailed, SampleRun::Because(ReasonCode::kWorkerLost, "killed")));
  const std::string text = RunDetailsText(board, run.now(), true, {});
  EXPECT_THAT(text, HasSubstr("run  7.0s")) << text;
}

}  // namespace
}  // namespace apps::view
