// SPDX-License-Identifier: Apache-2.0
// Steps that run beside others, over a sandbox whose programs are functions.
#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/runner/runner_fixture.h"

namespace agents::runner {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string EnvOf(const ports::Command& command, std::string_view name) {
  for (const std::string& entry : command.env) {
    if (entry.starts_with(std::string(name) + "=")) {
      return entry.substr(name.size() + 1);
    }
  }
  return "(not set)";
}

model::StepSpec Beside(std::string run) {
  model::StepSpec step = Step(std::move(run));
  step.background = true;
  return step;
}

// Programs named by their scripts: "exit N", "hang", "write TEXT" (to $DAYFLY_OUTPUT).
std::optional<ports::CommandExit> Act(const ports::Command& command) {
  const std::string& script = command.argv.back();
  if (script == "hang") {
    return std::nullopt;
  }
  if (script.starts_with("write ")) {
    std::ofstream(EnvOf(command, "DAYFLY_OUTPUT"), std::ios::app) << script.substr(6) << '\n';
  }
  return ports::CommandExit{.exit_code =
                                script.starts_with("exit ") ? std::atoi(script.c_str() + 5) : 0};
}

class Background : public RunnerTest {
 protected:
  Background() { machine_.program = Act; }
};

TEST_F(Background, IsStoppedWhenTheOtherStepsHaveEnded) {
  RunJob({Beside("hang"), Step("true")});
  EXPECT_THAT(
      Story(),
      ElementsAre("started in slot 0", "step 1 started", "step 2 started", "step 2 succeeded",
                  "step 1 succeeded: stopped, as the job's steps had ended", "succeeded"));
  EXPECT_THAT(machine_.signals, ElementsAre(SIGTERM));
  EXPECT_EQ(machine_.kills, 1) << "its lane is cleared";
}

TEST_F(Background, RunsInALaneOfItsOwnWithFilesOfItsOwn) {
  RunJob({Beside("hang"), Beside("hang"), Step("true")});
  ASSERT_EQ(machine_.commands.size(), 3U);
  EXPECT_NE(machine_.commands[0].lane, ports::kOwnLane);
  EXPECT_NE(machine_.commands[0].lane, machine_.commands[1].lane);
  EXPECT_EQ(machine_.commands[2].lane, ports::kOwnLane);
  EXPECT_NE(EnvOf(machine_.commands[0], "DAYFLY_OUTPUT"),
            EnvOf(machine_.commands[1], "DAYFLY_OUTPUT"));
  EXPECT_NE(EnvOf(machine_.commands[0], "DAYFLY_OUTPUT"),
            EnvOf(machine_.commands[2], "DAYFLY_OUTPUT"));
}

TEST_F(Background, AnEndByItselfThatIsWellChangesNothing) {
  model::StepSpec front = Step("hang");
  front.timeout = std::chrono::milliseconds(1);
  front.continue_on_error = true;
  RunJob({Beside("exit 0"), front, Step("true")});
  EXPECT_THAT(Story(), Contains("step 1 succeeded"));
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
  EXPECT_TRUE(machine_.kills == 1);
}

TEST_F(Background, AFailureFailsTheJobAndSkipsWhatComesAfter) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Beside("exit 3"), Step("hang"), Step("true")}));
  jobs[0].steps[1].timeout = std::chrono::milliseconds(1);
  jobs[0].steps[1].continue_on_error = true;
  RunJob(std::move(jobs));
  EXPECT_THAT(Story(), Contains("step 1 failed: exit code 3"));
  EXPECT_THAT(Story(), Contains("step 3 skipped: its condition is false: success()"));
  EXPECT_EQ(Story().back(), "failed: exit code 3");
}

TEST_F(Background, AToleratedFailureIsAWarning) {
  model::StepSpec beside = Beside("exit 3");
  beside.continue_on_error = true;
  RunJob({beside, Step("true"), Step("true")});
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
}

TEST_F(Background, WhatItWroteIsReadInTheJobsOutputs) {
  model::StepSpec beside = Beside("write v=7");
  beside.id = "b";
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {beside, Step("true")}));
  jobs[0].rare->outputs = {{.name = "v", .value = Text("${{ steps.b.outputs.v }}")}};
  RunJob(std::move(jobs));
  EXPECT_THAT(Ended().outputs, ElementsAre(model::NamedValue{.name = "v", .value = "\"7\""}));
}

TEST_F(Background, IsOverBeforeFinallyBegins) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Beside("hang"), Step("exit 4")}));
  jobs[0].rare->finally_steps = {Step("true")};
  RunJob(std::move(jobs));
  EXPECT_THAT(Story(), ElementsAre("started in slot 0", "step 1 started", "step 2 started",
                                   "step 2 failed: exit code 4",
                                   "step 1 succeeded: stopped, as the job's steps had ended",
                                   "step 3 started", "step 3 succeeded", "failed: exit code 4"));
}

TEST_F(Background, WhoDoesNotEndIsKilledAfterTheGrace) {
  machine_.dies_of = [](int) { return false; };
  SetPlan([] {
    std::vector<model::JobSpec> jobs;
    jobs.push_back(Job("job", {Beside("hang"), Step("true")}));
    return jobs;
  }());
  model::Assignment assignment = For(0);
  assignment.grace = std::chrono::milliseconds(1);
  runner().Dispatch(assignment);
  RunUntilEnded();
  EXPECT_THAT(machine_.signals, ElementsAre(SIGTERM, SIGKILL));
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
}

TEST_F(Background, ItsOwnTimeoutFailsTheJob) {
  model::StepSpec beside = Beside("hang");
  beside.timeout = std::chrono::milliseconds(1);
  model::StepSpec front = Step("hang");
  front.timeout = std::chrono::milliseconds(50);
  front.continue_on_error = true;
  RunJob({beside, front});
  EXPECT_THAT(Story(), Contains("step 1 timed_out: the step's timeout passed"));
  EXPECT_EQ(Ended().status, model::Status::kTimedOut);
}

TEST_F(Background, ACancelEndsItLikeTheOthers) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Beside("hang"), Step("hang"), Step("true")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  RunUntil([&] { return machine_.commands.size() == 2; });
  runner().Stop(StopOf(0));
  RunUntilEnded();
  EXPECT_EQ(Ended().status, model::Status::kCancelled);
  EXPECT_THAT(Story(), Contains(HasSubstr("step 1 cancelled")));
  EXPECT_THAT(Story(), Contains(HasSubstr("step 2 cancelled")));
}

TEST_F(Background, ItsLaneIsFreeForTheNextAttempt) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("a", {Beside("hang"), Step("true")}));
  jobs.push_back(Job("b", {Beside("hang"), Step("true")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  runner().Dispatch(For(1));
  RunUntilEnded(2);
  EXPECT_EQ(machine_.commands.at(0).lane, machine_.commands.at(2).lane);
}

TEST_F(Background, ADeadLaneIsAnInfrastructureFailure) {
  machine_.program = [](const ports::Command& command) -> std::optional<ports::CommandExit> {
    if (command.lane != ports::kOwnLane) {
      return ports::CommandExit{.started = engine::base::Unavailable("it died")};
    }
    return ports::CommandExit{};
  };
  RunJob({Beside("hang"), Step("true"), Step("true")});
  EXPECT_TRUE(Ended().infra);
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kWorkerLost);
}

}  // namespace
}  // namespace agents::runner
