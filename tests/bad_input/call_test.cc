// SPDX-License-Identifier: Apache-2.0
// Calls that are wrong, and calls that only look like it.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(BadInput, AnUnknownCommandOptionOrValueIsNamed) {
  EXPECT_EQ(Dayfly({"rnu"}).exit_code, 2);
  EXPECT_THAT(Errors(), HasSubstr("no command 'rnu': did you mean 'run'?\n"));
  EXPECT_EQ(Dayfly({"run", "--wrokers", "2"}).exit_code, 2);
  EXPECT_THAT(Errors(), HasSubstr("no option '--wrokers': did you mean '--workers'?"));
  EXPECT_EQ(Dayfly({"run", "--workers", "many"}).exit_code, 2);
  EXPECT_THAT(Errors(), HasSubstr("many"));
}

TEST_F(BadInput, HelpExplainsACommandAndDoesNotRunIt) {
  WriteJobs("  a: { steps: ['echo a >> \"$SHARED/ran\"'] }\n");
  Write(".dayfly/p.yml", "jobs: { a: { steps: [x] } }\n");
  for (const std::string command : {"run", "runs", "cancel", "logs"}) {
    const Outcome help = Dayfly({"help", command});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_THAT(help.out, HasSubstr("Usage: dayfly " + command));
  }
  EXPECT_THAT(Runs(), IsEmpty());
}

TEST_F(BadInput, AJobMayBeCalledLikeACommand) {
  WriteJobs("  plan: { steps: [echo planned] }\n");
  ASSERT_EQ(RunPipeline().exit_code, 0) << Errors();
  EXPECT_EQ(RawLog("plan"), "planned\n");
}

TEST_F(BadInput, OutputThatCannotBeWrittenIsTold) {
  WriteJobs("  a: { steps: [echo a] }\n");
  ASSERT_EQ(RunPipeline().exit_code, 0) << Errors();
  for (const std::vector<std::string>& command : {std::vector<std::string>{"runs"},
                                                  {"show", "latest"},
                                                  {"logs", "latest"},
                                                  {"explain", "latest", "--format", "json"},
                                                  {"plan", "p.yml"},
                                                  {"help", "run"}}) {
    support::Launch launch = LaunchOf(command);
    launch.output = "/dev/full";
    EXPECT_EQ(support::RunDayfly(launch).exit_code, 3) << command[0];
    EXPECT_THAT(Errors(), HasSubstr("standard output")) << command[0];
  }
}

TEST_F(BadInput, ARunWhoseOutputCannotBeWrittenSaysSo) {
  WriteJobs("  a: { steps: [echo a] }\n");
  support::Launch launch = LaunchOf({"run", "p.yml", "--output", "plain"});
  launch.output = "/dev/full";
  EXPECT_EQ(support::RunDayfly(launch).exit_code, 3);
  EXPECT_THAT(Errors(), HasSubstr("standard output: No space left on device"));
}

TEST_F(BadInput, ANumberOutOfRangeIsToldWithTheRange) {
  EXPECT_EQ(Dayfly({"runs", "--limit", "0"}).exit_code, 2);
  EXPECT_THAT(Errors(), HasSubstr("1000000"));
  EXPECT_EQ(Dayfly({"logs", "latest", "--tail", "-1"}).exit_code, 2);
  EXPECT_THAT(Errors(), HasSubstr("1000000000"));
}

TEST_F(BadInput, ARunThatIsRefusedIsNoRun) {
  Write("p.yml",
        "concurrency: { group: '${{ inputs.x }}' }\ninputs: { x: { default: '' } }\n"
        "jobs: { a: { steps: [x] } }\n");
  const Outcome refused = Dayfly({"run", "p.yml", "--output", "plain"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("the run was refused: concurrency.group"));
  EXPECT_THAT(refused.out + refused.errors, Not(HasSubstr("--resume")));
  EXPECT_THAT(Runs(), IsEmpty());
}

TEST_F(BadInput, AStepThatCannotBeStartedSaysWhy) {
  WriteJobs("  a: { steps: [{ run: x, shell: 'nosuchshell {0}' }] }\n");
  EXPECT_THAT(Dayfly({"run", "p.yml", "--output", "plain"}).out,
              HasSubstr("nosuchshell: no such program in PATH"));
  WriteJobs("  a: { steps: [{ run: x, workdir: nope }] }\n");
  EXPECT_THAT(Dayfly({"run", "p.yml", "--output", "plain"}).out, HasSubstr("nope"));
}

TEST_F(BadInput, WithoutStandardStreamsNothingIsWrittenIntoFiles) {
  WriteJobs("  a: { steps: [echo a] }\n");
  support::Launch launch = LaunchOf({"run", "p.yml", "--output", "plain"});
  launch.close_streams = true;
  EXPECT_EQ(support::RunDayfly(launch).exit_code, 0) << Errors();
  EXPECT_EQ(RawLog("a"), "a\n");
  EXPECT_EQ(Dayfly({"run", "--resume", "latest"}).exit_code, 0) << "its state is whole";
}

}  // namespace
}  // namespace tests::bad_input
