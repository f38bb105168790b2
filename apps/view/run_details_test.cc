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

TEST(RunDetails, OutputsAreShownInBrief) {
  SampleRun run;
  Board board(SampleRun::Run(), SamplePlan());
  board.Apply(run.Accepted());
  model::Fact ended = run.JobEnded(0, Status::kSucceeded);
  model::JobResult result;
  result.status = Status::kSucceeded;
  result.outputs = {{"short", "\"1.4.0\""}, {"long", '"' + std::string(5000, 'x') + '"'}};
  result.spilled = {{"large", {}, 70'000}};
  std::get<model::JobEnded>(ended.body).result =
      std::make_shared<const model::JobResult>(std::move(result));
  board.Apply(ended);
  const std::string text = RunDetailsText(board, run.now(), true, {});
  EXPECT_THAT(text, HasSubstr("output short = \"1.4.0\"\n"));
  EXPECT_THAT(text, HasSubstr("output long = \"" + std::string(198, 'x') + "…  (5002 bytes)\n"));
  EXPECT_THAT(text, HasSubstr("output large  70000 bytes, in the artifact store\n"));
  const std::string json = RunDetailsJson(board, run.now(), true);
  EXPECT_THAT(json, HasSubstr(std::string(5000, 'x')));
  EXPECT_THAT(json, HasSubstr(R"("spilled":[{"name":"large","bytes":70000}])"));
}

}  // namespace
}  // namespace apps::view
