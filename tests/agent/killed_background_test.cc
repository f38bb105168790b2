// SPDX-License-Identifier: Apache-2.0
// Agents that are killed while steps run in the background.
#include <gmock/gmock.h>

#include "tests/agent/agent_scene.h"

namespace tests::agent {
namespace {

using model::Status;
using sandboxes::Held;

class KilledBackground : public AgentScene {
 protected:
  static std::string ReadLine(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
  }
  /// Says its number on one fifo, waits for the other, and ends with `code`.
  static std::string Waiting(const std::string& up, const std::string& go, int code = 0) {
    return "echo before; echo $$ > " + up + "; read line < " + go + "; echo after; exit " +
           std::to_string(code);
  }
  model::Reason ReasonOf(std::uint32_t step) const {
    for (const model::AttemptReported& message : reports_) {
      for (const model::Report& report : message.reports) {
        const auto* end = std::get_if<model::ReportStepEnded>(&report);
        if (end != nullptr && end->step == model::StepIndex(step)) {
          return end->reason;
        }
      }
    }
    return {};
  }

  std::string up_ = Fifo("up");
  std::string go_ = Fifo("go");
  std::string front_up_ = Fifo("front_up");
  std::string front_go_ = Fifo("front_go");
};

TEST_F(KilledBackground, ItsSuccessorGoesOnWithBoth) {
  StartAgent(
      {.work = {Work(0, {Waiting(up_, go_), Waiting(front_up_, front_go_), "echo third"}, 1)}});
  const Held beside(sandboxes::PidIn(ReadLine(up_)));
  ReadLine(front_up_);
  KillAgent();
  EXPECT_FALSE(beside.ended()) << "it goes on without an agent";
  StartAgent({.until_ended = 1});
  WriteFile(go_, "x\n");
  beside.AwaitEnd();
  WriteFile(front_go_, "x\n");
  AwaitAgent();
  ASSERT_EQ(EndsOf(0).size(), 1U);
  EXPECT_EQ(EndsOf(0)[0].status, Status::kSucceeded) << Describe(EndsOf(0)[0].reason);
  EXPECT_EQ(LogOf(0, 0), "before\nafter\n");
  EXPECT_EQ(LogOf(0, 1), "before\nafter\n");
  EXPECT_EQ(LogOf(0, 2), "third\n");
  EXPECT_TRUE(Alive().empty());
}

TEST_F(KilledBackground, AFailureThatNobodyHeardFailsTheJob) {
  StartAgent({.work = {Work(0, {Waiting(up_, go_, 3), Waiting(front_up_, front_go_)}, 1)}});
  const Held beside(sandboxes::PidIn(ReadLine(up_)));
  const Held front(sandboxes::PidIn(ReadLine(front_up_)));
  KillAgent();
  WriteFile(go_, "x\n");
  beside.AwaitEnd();
  WriteFile(front_go_, "x\n");
  front.AwaitEnd();
  RunAgent({.until_ended = 1});
  ASSERT_EQ(EndsOf(0).size(), 1U);
  EXPECT_EQ(EndsOf(0)[0].status, Status::kFailed);
  EXPECT_EQ(EndsOf(0)[0].reason.detail, 3);
}

TEST_F(KilledBackground, WhatWasToldToEndIsWaitedForByTheSuccessor) {
  // It takes its time to end: what the order to end does waits for a fifo.
  const std::string stubborn = "trap 'echo told > " + up_ + "; read line < " + go_ +
                               "; echo bye; exit 0' TERM; echo $$ > " + front_up_ +
                               "; while :; do sleep 0.01; done";
  StartAgent({.work = {Work(0, {stubborn, "read line < " + front_up_ + "; echo front"}, 1)}});
  ReadLine(up_);
  KillAgent();
  StartAgent({.until_ended = 1});
  WriteFile(go_, "x\n");
  AwaitAgent();
  ASSERT_EQ(EndsOf(0).size(), 1U);
  EXPECT_EQ(EndsOf(0)[0].status, Status::kSucceeded) << Describe(EndsOf(0)[0].reason);
  EXPECT_EQ(ReasonOf(0).code, model::ReasonCode::kStepsEnded);
  EXPECT_THAT(LogOf(0, 0), ::testing::EndsWith("bye\n"));
  EXPECT_TRUE(Alive().empty());
}

TEST_F(KilledBackground, WithItsKeeperNothingIsLeft) {
  StartAgent({.work = {Work(0, {Waiting(up_, go_), Waiting(front_up_, front_go_)}, 1)}});
  const Held beside(sandboxes::PidIn(ReadLine(up_)));
  ReadLine(front_up_);
  const Held keeper(KeeperOf(0));
  KillAgent();
  kill(KeeperOf(0), SIGKILL);
  keeper.AwaitEnd();
  RunAgent({.until_ended = 1});
  ASSERT_EQ(EndsOf(0).size(), 1U);
  EXPECT_TRUE(EndsOf(0)[0].infra);
  EXPECT_TRUE(beside.ended());
  EXPECT_TRUE(Alive().empty());
}

}  // namespace
}  // namespace tests::agent
