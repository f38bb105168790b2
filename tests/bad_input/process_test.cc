// SPDX-License-Identifier: Apache-2.0
// Steps that do not want to end, and processes that fight over one run.
#include <array>
#include <csignal>
#include <poll.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

using ::testing::HasSubstr;

TEST_F(BadInput, AStepThatIgnoresSignalsEndsWithTheSecondCancel) {
  const std::string up = Fifo("up");
  WriteJobs(
      "  a:\n    steps:\n      - |\n        trap '' TERM INT HUP\n        echo up > "
      "\"$SHARED/up\"\n"
      "        while :; do sleep 3600; done\n"
      "    finally: ['echo late >> \"$SHARED/late\"; while :; do sleep 3600; done']\n");
  support::DayflyProcess run(RunLaunch());
  AwaitLine(up);
  EXPECT_EQ(Dayfly({"cancel", "latest"}).exit_code, 0) << Errors();
  EXPECT_EQ(Dayfly({"cancel", "latest"}).exit_code, 0) << Errors();
  EXPECT_THAT(run.ReadRest(), HasSubstr("\"event\":\"run_ended\",\"status\":\"cancelled\""));
  EXPECT_EQ(run.Wait(), 1);
  EXPECT_EQ(Shared("late"), "") << "the second cancel ends `finally`, too";
}

TEST_F(BadInput, AStepThatForksAndLeavesHoldsUpNothingAndLeavesNothing) {
  // The grandchild has a session of its own, ignores signals and keeps the step's output open.
  WriteJobs(
      "  a:\n    steps:\n"
      "      - setsid sh -c 'trap \"\" HUP INT TERM; while :; do sleep 3600; done' &\n"
      "      - echo second\n"
      "  b: { needs: [a], steps: [echo b] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 0) << run.out << run.errors;
  EXPECT_EQ(RawLog("a"), "second\n");
  EXPECT_TRUE(support::WaitForOrphans(20)) << "the grandchild lives on";
}

int PidFd(const support::DayflyProcess& process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process.pid(), 0));
}

TEST_F(BadInput, OfTwoResumesOfOneRunOneGoesOn) {
  const std::string up = Fifo("up");
  const std::string gate = Fifo("gate");
  WriteJobs(
      "  a: { steps: ['echo a >> \"$SHARED/ran\"'] }\n"
      "  b: { needs: [a], steps: ['echo up > \"$SHARED/up\"; read go < \"$SHARED/gate\"; echo b >> "
      "\"$SHARED/ran\"'] }\n");
  {
    support::DayflyProcess first(RunLaunch());
    AwaitLine(up);
    first.Kill();
    first.Wait();
  }
  const std::vector<std::string> resume = {"run", "--resume", "latest", "--output", "json"};
  support::DayflyProcess one(LaunchOf(resume));
  support::DayflyProcess other(LaunchOf(resume));
  std::array<pollfd, 2> ends{{{PidFd(one), POLLIN, 0}, {PidFd(other), POLLIN, 0}}};
  // Nobody passes the gate yet: whoever ends now is the one that did not get the run.
  ASSERT_EQ(::poll(ends.data(), ends.size(), 60'000), 1);
  const bool one_lost = ends[0].revents != 0;
  EXPECT_EQ((one_lost ? one : other).Wait(), 2) << Errors();
  AwaitLine(up);
  LetPass(gate);
  EXPECT_EQ((one_lost ? other : one).Wait(), 0);
  EXPECT_EQ(Shared("ran"), "a\nb\n") << "each job ran to its end once";
  for (const pollfd& end : ends) {
    ::close(end.fd);
  }
}

}  // namespace
}  // namespace tests::bad_input
