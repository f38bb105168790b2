// SPDX-License-Identifier: Apache-2.0
// The runner with real keepers and real processes.
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/runner/host_fixture.h"
#include "engine/model/log_segment.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OnThisHost : public HostRunnerTest {
 protected:
  OnThisHost() {
    options_.replace_sandbox =
        [this](std::uint32_t slot) -> base::StatusOr<std::unique_ptr<ports::Sandbox>> {
      return MakeSandbox(slot);
    };
  }

  std::string LogOf(std::uint32_t job, std::uint32_t step) const {
    std::string text;
    for (const model::AttemptReported& message : sent_) {
      for (const model::Report& report : message.reports) {
        const auto* end = std::get_if<model::ReportStepEnded>(&report);
        if (end == nullptr || end->step != model::StepIndex(step) ||
            message.lease.key.job != model::JobIndex(job)) {
          continue;
        }
        for (const model::LogRange& range : end->log.ranges) {
          const std::string segment =
              ReadFile(run_folder_ + "/logs/" + model::SegmentFileName(range.segment));
          text += segment.substr(range.offset, range.length);
        }
      }
    }
    return text;
  }
};

TEST_F(OnThisHost, StepsShareAWorkspaceInOrder) {
  RunJob({Step("echo one > file"), Step("cat file; echo two >&2"), Step("test -f file && exit 7")});
  EXPECT_THAT(Story(), ElementsAre("started in slot 0", "step 1 started", "step 1 succeeded",
                                   "step 2 started", "step 2 succeeded", "step 3 started",
                                   "step 3 failed: exit code 7", "failed: exit code 7"));
  EXPECT_EQ(LogOf(0, 1), "one\ntwo\n");
}

TEST_F(OnThisHost, AJobStartsWithAnEmptyWorkspace) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("first", {Step("echo x > left")}));
  jobs.push_back(Job("second", {Step("ls -A")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  runner().Dispatch(For(1));
  RunUntilEnded(2);
  EXPECT_EQ(Ended(1).status, model::Status::kSucceeded);
  EXPECT_EQ(LogOf(1, 0), "");
}

TEST_F(OnThisHost, TheEnvironmentIsCleanAndUsable) {
  ASSERT_EQ(setenv("DAYFLY_TEST_LEAK", "1", 1), 0);
  RunJob({Step("env | sort | cut -d= -f1 | tr '\\n' ' '"),
          Step("cd && pwd && echo x > \"$TMPDIR/y\" && test \"$(pwd)\" = \"$HOME\"")});
  EXPECT_EQ(Ended().status, model::Status::kSucceeded) << LogOf(0, 1);
  const std::string names = LogOf(0, 0);
  EXPECT_THAT(names, HasSubstr("CI DAYFLY_ATTEMPT DAYFLY_BRANCH DAYFLY_COMMIT DAYFLY_ENV "
                               "DAYFLY_EVENT DAYFLY_JOB DAYFLY_KEEPER DAYFLY_MASK DAYFLY_OUTPUT "
                               "DAYFLY_PIPELINE DAYFLY_RUN DAYFLY_SUMMARY DAYFLY_TAG "
                               "DAYFLY_WORKSPACE HOME LANG LOGNAME PATH"));
  EXPECT_EQ(names.find("LEAK"), std::string::npos);
}

TEST_F(OnThisHost, OutputsAndEnvComeFromTheFiles) {
  model::StepSpec writer = Step(
      "echo version=1.2 >> $DAYFLY_OUTPUT\n"
      "printf 'notes<<E\\na\\nb\\nE\\n' >> $DAYFLY_OUTPUT\n"
      "echo COLOR=red >> $DAYFLY_ENV");
  writer.id = "w";
  RunJob({writer, Step("echo $COLOR ${{ env.COLOR }} '${{ steps.w.outputs.notes }}' "
                       "${{ steps.w.outputs.version }}")});
  EXPECT_EQ(LogOf(0, 1), "red red a\nb 1.2\n");
}

TEST_F(OnThisHost, AMissingProgramSaysWhatTheShellSays) {
  model::StepSpec direct = Step("nonesuch-program -x");
  direct.argv = {"nonesuch-program", "-x"};
  RunJob({direct});
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kExitCode);
  EXPECT_EQ(Ended().reason.detail, 127);
  EXPECT_THAT(LogOf(0, 0), HasSubstr("nonesuch-program: not found"));
}

TEST_F(OnThisHost, AMissingWorkdirIsNamed) {
  model::StepSpec step = Step("true");
  step.workdir = Text("no/such/folder");
  RunJob({step});
  EXPECT_EQ(Ended().status, model::Status::kFailed);
  EXPECT_FALSE(Ended().infra);
  EXPECT_THAT(Ended().reason.subject, HasSubstr("no/such/folder"));
}

TEST_F(OnThisHost, OtherShellsRunScriptsFromAFile) {
  model::StepSpec bash = Step("set -o | grep -c 'pipefail.*on'");
  bash.shell = "bash";
  model::StepSpec sed = Step("s/a/b/");
  sed.shell = "sh -c 'echo aaa | sed -f \"$0\"' {0}";
  RunJob({bash, sed, Step("true " + std::string(200 << 10, 'x') + "; echo long")});
  EXPECT_EQ(LogOf(0, 0), "1\n");
  EXPECT_EQ(LogOf(0, 1), "baa\n");
  EXPECT_EQ(LogOf(0, 2), "long\n");
}

TEST_F(OnThisHost, AStopReachesWhatTheStepStarted) {
  const std::string ready = folder_ + "/ready";
  ASSERT_EQ(mkfifo(ready.c_str(), 0600), 0);
  boost::asio::posix::stream_descriptor fifo(io_, open(ready.c_str(), O_RDWR | O_CLOEXEC));
  bool is_up = false;
  fifo.async_wait(fifo.wait_read, [&](const boost::system::error_code&) { is_up = true; });
  std::vector<model::JobSpec> jobs;
  jobs.push_back(
      Job("job", {Step("trap '' TERM; setsid sleep 1000 & echo up > " + ready + "; wait; wait")}));
  jobs[0].rare->finally_steps = {Step("echo cleaned")};
  SetPlan(std::move(jobs));
  model::Assignment assignment = For(0);
  runner().Dispatch(assignment);
  RunUntil([&] { return is_up; });
  model::StopAttempt stop = StopOf(0);
  stop.grace = std::chrono::milliseconds(50);
  runner().Stop(stop);
  RunUntilEnded();
  EXPECT_EQ(Ended().status, model::Status::kCancelled);
  EXPECT_EQ(LogOf(0, 1), "cleaned\n");
}

TEST_F(OnThisHost, AStepRunsBesideOthersUntilTheyHaveEnded) {
  const std::string up = folder_ + "/up";
  ASSERT_EQ(mkfifo(up.c_str(), 0600), 0);
  model::StepSpec beside = Step("echo before; echo x > " + up + "; exec sleep 1000");
  beside.background = true;
  RunJob({beside, Step("read x < " + up + "; echo front")});
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
  EXPECT_EQ(LogOf(0, 0), "before\n");
  EXPECT_EQ(LogOf(0, 1), "front\n");
}

TEST_F(OnThisHost, ManyAttemptsGoThroughFewSlots) {
  std::vector<model::JobSpec> jobs;
  for (int i = 0; i < 200; ++i) {
    jobs.push_back(Job("job", {Step("true")}));
    jobs.back().steps[0].argv = {"true"};
  }
  SetPlan(std::move(jobs));
  for (std::uint32_t i = 0; i < 200; ++i) {
    runner(2).Dispatch(For(i));
  }
  RunUntilEnded(200);
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(Ended(i).status, model::Status::kSucceeded);
  }
}

}  // namespace
}  // namespace agents::runner
