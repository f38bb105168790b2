// SPDX-License-Identifier: Apache-2.0
// The runner's own rules, over a sandbox whose programs are functions; with real processes:
// host_test.cc.
#include "agents/runner/runner.h"

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/runner/runner_fixture.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::string ScriptOf(const ports::Command& command) {
  return command.argv.back();
}

std::string EnvOf(const ports::Command& command, std::string_view name) {
  for (const std::string& entry : command.env) {
    if (entry.starts_with(std::string(name) + "=")) {
      return entry.substr(name.size() + 1);
    }
  }
  return "(not set)";
}

// Programs named by their scripts: "exit N", "hang", "write TEXT" (to $DAYFLY_OUTPUT).
std::optional<ports::CommandExit> Act(const ports::Command& command) {
  const std::string script = ScriptOf(command);
  if (script.starts_with("exit ")) {
    return ports::CommandExit{.exit_code = std::atoi(script.c_str() + 5)};
  }
  if (script == "hang") {
    return std::nullopt;
  }
  if (script.starts_with("write ")) {
    std::ofstream(EnvOf(command, "DAYFLY_OUTPUT"), std::ios::app) << script.substr(6) << '\n';
  }
  return ports::CommandExit{};
}

class Runs : public RunnerTest {
 protected:
  Runs() { machine_.program = Act; }
};

TEST_F(Runs, AShortAttemptArrivesAsOneMessage) {
  RunJob({Step("true")});
  EXPECT_EQ(sent_.size(), 1u);
  EXPECT_THAT(Story(),
              ElementsAre("started in slot 0", "step 1 started", "step 1 succeeded", "succeeded"));
}

TEST_F(Runs, ALongStepIsReportedWhileItRuns) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("hang")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  RunUntil([&] { return !sent_.empty(); });
  EXPECT_THAT(Story(), ElementsAre("started in slot 0", "step 1 started"));
}

TEST_F(Runs, AFailedStepSkipsWhatDoesNotAskForFailure) {
  model::StepSpec on_failure = Step("true");
  on_failure.condition = If("failure()");
  model::StepSpec plain = Step("true");
  plain.condition = If("branch == 'main'");
  RunJob({Step("exit 3"), Step("true"), plain, on_failure});
  EXPECT_THAT(Story(),
              ElementsAre("started in slot 0", "step 1 started", "step 1 failed: exit code 3",
                          "step 2 skipped: its condition is false: success()",
                          "step 3 skipped: its condition is false: branch == 'main'",
                          "step 4 started", "step 4 succeeded", "failed: exit code 3"));
}

TEST_F(Runs, AToleratedFailureEndsWarnedAndTheJobGoesOn) {
  model::StepSpec tolerated = Step("exit 3");
  tolerated.id = "lint";
  tolerated.continue_on_error = true;
  model::StepSpec reader = Step("${{ steps.lint.outcome }} ${{ steps.lint.conclusion }}");
  RunJob({tolerated, reader});
  EXPECT_EQ(ScriptOf(machine_.commands[1]), "failed warned");
  EXPECT_THAT(Story(), Contains("step 1 warned: exit code 3"));
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
}

TEST_F(Runs, SignalsAndMemoryAreToldExactly) {
  machine_.program = [](const ports::Command&) { return ports::CommandExit{.signal = 11}; };
  RunJob({Step("crash")});
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kSignal);
  EXPECT_EQ(Ended().reason.detail, 11);
  EXPECT_FALSE(Ended().infra);
}

TEST_F(Runs, StepsSeeACleanEnvironmentAndWhatWasDeclared) {
  ASSERT_EQ(setenv("DAYFLY_TEST_LEAK", "1", 1), 0);
  context_.extra_env = {{.name = "FROM_FILE", .value = "\"file\""}};
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("build", {Step("true")}));
  jobs[0].env = {{.name = "LEVEL", .value = Text("job")}};
  jobs[0].steps[0].env = {{.name = "LEVEL", .value = Text("${{ env.LEVEL }}-step")}};
  RunJob(std::move(jobs));
  const ports::Command& command = machine_.commands.at(0);
  EXPECT_EQ(EnvOf(command, "DAYFLY_TEST_LEAK"), "(not set)");
  EXPECT_EQ(EnvOf(command, "FROM_FILE"), "file");
  EXPECT_EQ(EnvOf(command, "LEVEL"), "job-step");
  EXPECT_EQ(EnvOf(command, "CI"), "true");
  EXPECT_EQ(EnvOf(command, "DAYFLY_JOB"), "build");
  EXPECT_EQ(EnvOf(command, "DAYFLY_ATTEMPT"), "1");
  EXPECT_EQ(EnvOf(command, "DAYFLY_COMMIT"), "c0ffee");
  EXPECT_EQ(EnvOf(command, "DAYFLY_BRANCH"), "main");
  EXPECT_EQ(EnvOf(command, "DAYFLY_TAG"), "");
  EXPECT_EQ(EnvOf(command, "DAYFLY_RUN"), ToText(model::RunId(5)));
  EXPECT_EQ(command.workdir, context_.workspace);
}

TEST_F(Runs, OutputsOfStepsReachLaterStepsAndTheJob) {
  model::StepSpec writer = Step("write version=1.2");
  writer.id = "v";
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {writer, Step("use ${{ steps.v.outputs.version }}")}));
  jobs[0].rare->outputs = {{.name = "version", .value = Text("v${{ steps.v.outputs.version }}")},
                           {.name = "number", .value = Text("${{ 1 == 1 }}")}};
  RunJob(std::move(jobs));
  EXPECT_EQ(ScriptOf(machine_.commands[1]), "use 1.2");
  EXPECT_THAT(Ended().outputs,
              ElementsAre(model::NamedValue{.name = "version", .value = "\"v1.2\""},
                          model::NamedValue{.name = "number", .value = "true"}));
}

TEST_F(Runs, ABadOutputLineFailsTheStepAndNamesTheLine) {
  RunJob({Step("write no equals sign")});
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kBadStepFile);
  EXPECT_THAT(Ended().reason.subject, ::testing::HasSubstr("$DAYFLY_OUTPUT: line 1"));
}

TEST_F(Runs, AnOutputWithASecretIsRefusedByName) {
  secrets_.values["TOKEN"] = "s3cret-value";
  model::StepSpec step = Step("write key=is ${{ secrets.TOKEN }}");
  step.id = "s";
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {step}));
  jobs[0].rare->outputs = {{.name = "x", .value = Text("${{ steps.s.outputs.key }}")}};
  RunJob(std::move(jobs));
  EXPECT_EQ(ScriptOf(machine_.commands[0]), "write key=is s3cret-value");
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kSecretExposed);
  EXPECT_EQ(Ended().reason.subject, "output 'key' holds the value of secret TOKEN");
  for (const model::NamedValue& output : Ended().outputs) {
    EXPECT_EQ(output.value.find("s3cret"), std::string::npos);
  }
}

TEST_F(Runs, AnUnknownSecretIsAnErrorOfTheStep) {
  RunJob({Step("use ${{ secrets.NONE }}")});
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kBadExpression);
  EXPECT_THAT(machine_.commands, IsEmpty());
}

TEST_F(Runs, ASimpleCommandNeedsNoShellUnlessItCannotBeFound) {
  model::StepSpec known = Step("true");
  known.argv = {"true"};
  model::StepSpec unknown = Step("nonesuch -x");
  unknown.argv = {"nonesuch", "-x"};
  machine_.program = [](const ports::Command& command) -> std::optional<ports::CommandExit> {
    if (command.argv[0] == "nonesuch") {
      return ports::CommandExit{.started = base::NotFound("no program nonesuch")};
    }
    return ports::CommandExit{.exit_code = command.argv[0] == "true" ? 0 : 127};
  };
  RunJob({known, unknown});
  ASSERT_EQ(machine_.commands.size(), 3u);
  EXPECT_THAT(machine_.commands[0].argv, ElementsAre("true"));
  EXPECT_THAT(machine_.commands[1].argv, ElementsAre("nonesuch", "-x"));
  EXPECT_THAT(machine_.commands[2].argv, ElementsAre("/bin/sh", "-e", "-c", "nonesuch -x"));
  EXPECT_EQ(Ended().reason.detail, 127);
}

TEST_F(Runs, FinallyStepsRunAfterSuccessAndFailure) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("exit 4")}));
  jobs[0].rare->finally_steps = {Step("clean"), Step("exit 9"), Step("more")};
  RunJob(std::move(jobs));
  EXPECT_THAT(Story(),
              ElementsAre("started in slot 0", "step 1 started", "step 1 failed: exit code 4",
                          "step 2 started", "step 2 succeeded", "step 3 started",
                          "step 3 failed: exit code 9", "step 4 started", "step 4 succeeded",
                          "failed: exit code 4"));
}

TEST_F(Runs, AFailedFinallyStepFailsAJobThatWasWell) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("true")}));
  jobs[0].rare->finally_steps = {Step("exit 9")};
  RunJob(std::move(jobs));
  EXPECT_EQ(Ended().status, model::Status::kFailed);
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kFinallyFailed);
}

class Stops : public Runs {
 protected:
  // Dispatches one job and waits until its first command runs.
  void Begin(model::JobSpec job) {
    std::vector<model::JobSpec> jobs;
    jobs.push_back(std::move(job));
    SetPlan(std::move(jobs));
    runner().Dispatch(For(0));
    RunUntil([&] { return !machine_.commands.empty(); });
  }
};

TEST_F(Stops, SignalTheCommandThenRunFinally) {
  model::JobSpec job = Job("job", {Step("hang"), Step("true")});
  job.rare->finally_steps = {Step("clean")};
  Begin(std::move(job));
  runner().Stop(StopOf(0));
  RunUntilEnded();
  EXPECT_THAT(machine_.signals, ElementsAre(SIGTERM));
  EXPECT_THAT(Story(), ElementsAre("started in slot 0", "step 1 started",
                                   "step 1 cancelled: cancelled by tester",
                                   "step 2 skipped: cancelled by tester", "step 3 started",
                                   "step 3 succeeded", "cancelled: cancelled by tester"));
}

TEST_F(Stops, KillWhatIgnoresTheSignalAfterTheGrace) {
  machine_.dies_of = [](int signal) { return signal == SIGKILL; };
  Begin(Job("job", {Step("hang")}));
  model::StopAttempt stop = StopOf(0);
  stop.grace = std::chrono::milliseconds(1);
  runner().Stop(stop);
  RunUntilEnded();
  EXPECT_THAT(machine_.signals, ElementsAre(SIGTERM, SIGKILL));
  EXPECT_EQ(Ended().status, model::Status::kCancelled);
}

TEST_F(Stops, AStepMayAskToRunAfterACancel) {
  model::StepSpec always = Step("always");
  always.condition = If("cancelled()");
  Begin(Job("job", {Step("hang"), always}));
  runner().Stop(StopOf(0));
  RunUntilEnded();
  EXPECT_THAT(Story(), Contains("step 2 succeeded"));
  EXPECT_EQ(Ended().status, model::Status::kCancelled);
}

TEST_F(Stops, ATimeoutIsNoCancel) {
  model::StepSpec failure = Step("on failure");
  failure.condition = If("failure() && !cancelled()");
  Begin(Job("job", {Step("hang"), failure}));
  model::StopAttempt stop = StopOf(0);
  stop.reason = {.code = model::ReasonCode::kJobTimeout};
  runner().Stop(stop);
  RunUntilEnded();
  EXPECT_THAT(Story(), Contains("step 1 timed_out: the job's timeout passed"));
  EXPECT_THAT(Story(), Contains("step 2 succeeded"));
  EXPECT_EQ(Ended().status, model::Status::kTimedOut);
}

TEST_F(Stops, AKillEndsFinallyToo) {
  model::JobSpec job = Job("job", {Step("exit 0")});
  job.rare->finally_steps = {Step("hang"), Step("more")};
  Begin(std::move(job));
  RunUntil([&] { return machine_.commands.size() == 2; });
  runner().Stop(StopOf(0));
  EXPECT_THAT(machine_.signals, IsEmpty()) << "the first stop leaves finally alone";
  runner().Stop(StopOf(0, true));
  RunUntilEnded();
  EXPECT_THAT(machine_.signals, ElementsAre(SIGKILL));
  EXPECT_THAT(Story(), Not(Contains("step 3 started")));
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kKilled);
}

TEST_F(Stops, FinallyHasABudgetOfItsOwn) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("true")}));
  jobs[0].rare->finally_steps = {Step("hang"), Step("more")};
  SetPlan(std::move(jobs));
  model::Assignment assignment = For(0);
  assignment.finally_budget = std::chrono::milliseconds(1);
  runner().Dispatch(assignment);
  RunUntilEnded();
  EXPECT_THAT(machine_.signals, ElementsAre(SIGKILL));
  EXPECT_EQ(Ended().status, model::Status::kFailed);
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kFinallyFailed);
  EXPECT_THAT(Story(), Not(Contains("step 3 started")));
}

TEST_F(Stops, AStepHasATimeoutOfItsOwn) {
  model::StepSpec slow = Step("hang");
  slow.timeout = std::chrono::milliseconds(1);
  RunJob({slow});
  EXPECT_THAT(machine_.signals, ElementsAre(SIGTERM));
  EXPECT_EQ(Ended().status, model::Status::kTimedOut);
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kStepTimeout);
}

TEST_F(Stops, AQueuedAttemptNeverBegins) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("first", {Step("hang")}));
  jobs.push_back(Job("second", {Step("second")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  runner().Dispatch(For(1));
  EXPECT_EQ(runner().queued(), 1u);
  runner().Stop(StopOf(1));
  EXPECT_EQ(runner().queued(), 0u);
  EXPECT_THAT(Story(1), ElementsAre("cancelled: cancelled by tester"));
  RunUntil([&] { return !machine_.commands.empty(); });
  runner().Stop(StopOf(0));
  RunUntilEnded(2);
  EXPECT_EQ(machine_.commands.size(), 1u);
}

TEST_F(Stops, AStopBeforeItsDispatchLeavesATombstone) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("true")}));
  SetPlan(std::move(jobs));
  runner().Stop(StopOf(0));
  runner().Dispatch(For(0));
  io_.run();
  EXPECT_THAT(Story(),
              ElementsAre("cancelled: cancelled by tester", "cancelled: cancelled by tester"));
  EXPECT_THAT(machine_.commands, IsEmpty());
}

TEST_F(Runs, ARepeatedDispatchIsAnsweredWithTheResult) {
  RunJob({Step("exit 3")});
  runner().Dispatch(For(0));
  EXPECT_EQ(ended(), 2u);
  EXPECT_EQ(machine_.commands.size(), 1u);
  runner().Acknowledge(For(0).lease.key);
  runner().Dispatch(For(0));
  EXPECT_THAT(Story(), Contains(::testing::StartsWith("failed (infra): the worker refused it")));
  EXPECT_EQ(machine_.commands.size(), 1u);
}

TEST_F(Runs, SlotsTakeAttemptsInTheOrderOfTheirDispatch) {
  std::vector<model::JobSpec> jobs;
  for (int i = 0; i < 20; ++i) {
    jobs.push_back(Job("job", {Step("run " + std::to_string(i))}));
  }
  SetPlan(std::move(jobs));
  for (std::uint32_t i = 0; i < 20; ++i) {
    runner(3).Dispatch(For(i));
  }
  EXPECT_EQ(runner().busy_slots(), 3u);
  RunUntilEnded(20);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(ScriptOf(machine_.commands[i]), "run " + std::to_string(i));
  }
}

TEST_F(Runs, LeftoversAreGoneBeforeTheEndIsReported) {
  machine_.program = [](const ports::Command&) { return ports::CommandExit{.leftover = 2}; };
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("server &")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  RunUntil([&] { return machine_.kills == 1; });
  EXPECT_EQ(ended(), 0u);
  RunUntilEnded();
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
}

TEST_F(Runs, AnUnpreparedWorkspaceIsAnInfrastructureFailure) {
  machine_.workspace = base::ResourceExhausted("mount: no space left");
  std::vector<model::JobSpec> jobs;
  for (int i = 0; i < 50; ++i) {
    jobs.push_back(Job("job", {Step("true")}));
  }
  SetPlan(std::move(jobs));
  for (std::uint32_t i = 0; i < 50; ++i) {
    runner().Dispatch(For(i));
  }
  RunUntilEnded(50);
  EXPECT_TRUE(Ended(49).infra);
  EXPECT_EQ(Ended(49).reason.code, model::ReasonCode::kSetupFailed);
  EXPECT_THAT(machine_.commands, IsEmpty());
}

TEST_F(Runs, AKeeperThatDiesIsReplacedAndCostsNoAuthorsRetry) {
  options_.replace_sandbox =
      [this](std::uint32_t slot) -> base::StatusOr<std::unique_ptr<ports::Sandbox>> {
    return MakeSandbox(slot);
  };
  bool died = false;
  machine_.program = [&](const ports::Command&) -> std::optional<ports::CommandExit> {
    if (std::exchange(died, true)) {
      return ports::CommandExit{};
    }
    return ports::CommandExit{.started = base::Unavailable("keeper of slot 0: killed by signal 9")};
  };
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("first", {Step("a"), Step("b")}));
  jobs.push_back(Job("second", {Step("c")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  runner().Dispatch(For(1));
  RunUntilEnded(2);
  EXPECT_TRUE(Ended(0).infra);
  EXPECT_EQ(Ended(0).reason.code, model::ReasonCode::kWorkerLost);
  EXPECT_EQ(Ended(1).status, model::Status::kSucceeded);
  EXPECT_EQ(machine_.made, 2);
}

TEST_F(Runs, TmpdirIsEmptyForTheNextAttempt) {
  machine_.program = [](const ports::Command& command) -> std::optional<ports::CommandExit> {
    const std::string file = EnvOf(command, "TMPDIR") + "/left";
    const bool found = std::filesystem::exists(file);
    std::ofstream{file} << "x";
    return ports::CommandExit{.exit_code = found ? 1 : 0};
  };
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("first", {Step("a")}));
  jobs.push_back(Job("second", {Step("b")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  runner().Dispatch(For(1));
  RunUntilEnded(2);
  EXPECT_EQ(Ended(0).status, model::Status::kSucceeded);
  EXPECT_EQ(Ended(1).status, model::Status::kSucceeded);
}

}  // namespace
}  // namespace agents::runner
