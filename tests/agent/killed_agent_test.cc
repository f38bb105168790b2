// SPDX-License-Identifier: Apache-2.0
// Agents that are killed, with real keepers and real steps: what goes on, what is lost, and that
// nothing runs twice or is left running.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "agents/reports/annotation_document.h"
#include "tests/agent/agent_scene.h"

namespace tests::agent {
namespace {

using model::ReasonCode;
using model::Status;
using sandboxes::Held;
using ::testing::HasSubstr;

/// A step that says `up` on one fifo and waits for the other.
std::string Waiting(const std::string& up, const std::string& go) {
  return "echo before; echo $$ > " + up + "; read line < " + go + "; echo after";
}

class KilledAgent : public AgentScene {
 protected:
  /// An agent that was killed while its only job's second step waits on `go_`.
  void KillInTheMiddle(engine::base::Duration offline = std::chrono::minutes(10)) {
    StartAgent(
        {.work = {Work(0, {"echo one >> " + ran_ +
                               "; echo v=7 >> $DAYFLY_OUTPUT; echo COLOR=red >> $DAYFLY_ENV",
                           Waiting(up_, go_),
                           "echo three >> " + ran_ + "; echo $COLOR ${{ steps.s1.outputs.v }}"})},
         .offline = offline});
    step_ = std::make_unique<Held>(sandboxes::PidIn(ReadFifoOnce(up_)));
    KillAgent();
  }
  static std::string ReadFifoOnce(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
  }
  void ExpectLost(std::uint32_t job, const std::string& why) {
    const auto ends = EndsOf(job);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0].status, Status::kFailed);
    EXPECT_TRUE(ends[0].infra);
    EXPECT_EQ(ends[0].reason.code, ReasonCode::kWorkerLost);
    EXPECT_THAT(ends[0].reason.subject, HasSubstr(why));
  }

  std::string ran_ = folder_ + "/ran";
  std::string up_ = Fifo("up");
  std::string go_ = Fifo("go");
  std::unique_ptr<Held> step_;
};

TEST_F(KilledAgent, ItsSuccessorGoesOnWithTheRunningStep) {
  KillInTheMiddle();
  EXPECT_FALSE(step_->ended()) << "the step goes on without an agent";
  StartAgent({.until_ended = 1});
  WriteFile(go_, "x\n");
  AwaitAgent();
  const auto ends = EndsOf(0);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].status, Status::kSucceeded) << Describe(ends[0].reason);
  EXPECT_EQ(LogOf(0, 1), "before\nafter\n");
  EXPECT_EQ(LogOf(0, 2), "red 7\n") << "outputs and variables of steps before the kill";
  EXPECT_EQ(ReadFile(ran_), "one\nthree\n") << "each step ran once";
  EXPECT_TRUE(Alive().empty());
}

TEST_F(KilledAgent, AStepThatEndedMeanwhileKeepsItsExit) {
  KillInTheMiddle();
  WriteFile(go_, "x\n");
  step_->AwaitEnd();
  RunAgent({.until_ended = 1});
  ASSERT_EQ(EndsOf(0).size(), 1U);
  EXPECT_EQ(EndsOf(0)[0].status, Status::kSucceeded);
  EXPECT_EQ(LogOf(0, 1), "before\nafter\n");
}

TEST_F(KilledAgent, NoAnnotationIsLostOrDoubled) {
  StartAgent({.work = {Work(0, {"echo ::warning::one",
                                "echo ::error::two; " + Waiting(up_, go_) + "; echo ::error::three",
                                "echo ::notice::four"})}});
  const Held step(sandboxes::PidIn(ReadFifoOnce(up_)));
  KillAgent();
  StartAgent({});
  KillAgent();
  StartAgent({.until_ended = 1});
  WriteFile(go_, "x\n");
  AwaitAgent();
  ASSERT_FALSE(EndsOf(0).empty());
  const auto totals = EndsOf(0).back().remarks.annotations;
  ASSERT_TRUE(totals.has_value());
  EXPECT_EQ(totals->counts, (model::AnnotationCounts{2, 1, 1}));
  const auto kept = agents::reports::DecodeAnnotations(KeptDocument(totals->document));
  ASSERT_TRUE(kept.ok()) << kept.status();
  std::string said;
  for (const model::Annotation& each : kept->list) {
    said += fmt::format("{} {}, ", each.step.value(), each.message);
  }
  EXPECT_EQ(said, "0 one, 1 two, 1 three, 2 four, ");
}

TEST_F(KilledAgent, ManyTimesIsNoDifferent) {
  KillInTheMiddle();
  for (int i = 0; i < 3; ++i) {
    StartAgent({});
    KillAgent();
  }
  StartAgent({.until_ended = 1});
  WriteFile(go_, "x\n");
  AwaitAgent();
  ASSERT_FALSE(EndsOf(0).empty());
  EXPECT_EQ(EndsOf(0).back().status, Status::kSucceeded);
  EXPECT_EQ(ReadFile(ran_), "one\nthree\n");
}

TEST_F(KilledAgent, WithItsKeeperTheAttemptIsLostAndNothingIsLeft) {
  KillInTheMiddle();
  const Held keeper(KeeperOf(0));
  kill(KeeperOf(0), SIGKILL);
  keeper.AwaitEnd();
  RunAgent({.until_ended = 1});
  ExpectLost(0, "its keeper was gone");
  EXPECT_TRUE(step_->ended());
  EXPECT_TRUE(Alive().empty());
}

TEST_F(KilledAgent, AfterOfflineTheKeeperGivesUp) {
  KillInTheMiddle(std::chrono::milliseconds(20));
  step_->AwaitEnd();
  if (const pid_t keeper = KeeperOf(0); keeper != 0) {
    waitpid(keeper, nullptr, 0);
  }
  RunAgent({.until_ended = 1});
  ExpectLost(0, "its keeper was gone");
}

TEST_F(KilledAgent, AWipedFolderLeavesNobodyWorkingUnknown) {
  KillInTheMiddle();
  sandboxes::RemoveTree(AgentPath());
  RunAgent({.work = {Work(1, {"true"})}, .until_ended = 1});
  EXPECT_TRUE(step_->ended());
  EXPECT_TRUE(EndsOf(0).empty());
  ASSERT_EQ(EndsOf(1).size(), 1U);
  EXPECT_EQ(EndsOf(1)[0].status, Status::kSucceeded) << Describe(EndsOf(1)[0].reason);
}

TEST_F(KilledAgent, ALostJournalIsLikeAWipedFolder) {
  KillInTheMiddle();
  std::filesystem::remove(AgentPath() + "/journal");
  RunAgent({.slots = 1, .work = {Work(1, {"true"})}, .until_ended = 1});
  EXPECT_TRUE(step_->ended());
  EXPECT_EQ(EndsOf(1).size(), 1U);
}

TEST_F(KilledAgent, FewerSlotsLoseWhatRanInTheOthers) {
  const std::string up2 = Fifo("up2");
  StartAgent({.slots = 2, .work = {Work(0, {Waiting(up_, go_)}), Work(1, {Waiting(up2, go_)})}});
  const Held first(sandboxes::PidIn(ReadFifoOnce(up_)));
  const Held second(sandboxes::PidIn(ReadFifoOnce(up2)));
  KillAgent();
  StartAgent({.slots = 1, .until_ended = 2});
  second.AwaitEnd();
  WriteFile(go_, "x\n");
  AwaitAgent();
  EXPECT_EQ(EndsOf(0).at(0).status, Status::kSucceeded) << Describe(EndsOf(0)[0].reason);
  ExpectLost(1, "its keeper was gone");
}

TEST_F(KilledAgent, WhatWaitedForASlotBeginsOnce) {
  StartAgent(
      {.slots = 1, .work = {Work(0, {Waiting(up_, go_)}), Work(1, {"echo second >> " + ran_})}});
  ReadFifoOnce(up_);
  KillAgent();
  StartAgent({.slots = 1, .until_ended = 2});
  WriteFile(go_, "x\n");
  AwaitAgent();
  EXPECT_EQ(EndsOf(1).at(0).status, Status::kSucceeded);
  EXPECT_EQ(ReadFile(ran_), "second\n");
}

TEST_F(KilledAgent, AnAttemptThatEndedIsNotBegunAgainAndItsReportsStay) {
  const model::Assignment work = Work(0, {"echo ran >> " + ran_});
  RunAgent({.work = {work}, .until_ended = 1});
  reports_.clear();
  RunAgent({.work = {work}, .until_ended = 1});
  EXPECT_EQ(ReadFile(ran_), "ran\n");
  boost::asio::io_context io;
  auto worker = agents::host::Worker::Open(io, Options());
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_FALSE((*worker)->session_facts().empty());
}

TEST_F(KilledAgent, AKeeperKilledUnderALivingAgentIsTold) {
  StartAgent({.work = {Work(0, {Waiting(up_, go_)})}, .until_ended = 1});
  const Held step(sandboxes::PidIn(ReadFifoOnce(up_)));
  kill(KeeperOf(0), SIGKILL);
  AwaitAgent();
  ASSERT_EQ(EndsOf(0).size(), 1U);
  EXPECT_TRUE(EndsOf(0)[0].infra);
  step.AwaitEnd();  // its kill was sent before the keeper counted as dead; it takes a moment
}

TEST_F(KilledAgent, ASecondAgentInTheFolderIsRefused) {
  StartAgent({.work = {Work(0, {Waiting(up_, go_)})}});
  ReadFifoOnce(up_);
  boost::asio::io_context io;
  const auto second = agents::host::Worker::Open(io, Options());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(second.status().ToString(), HasSubstr(std::to_string(agent_)));
}

TEST_F(KilledAgent, LeavingWellLeavesNothingRunning) {
  RunAgent({.work = {Work(0, {"sleep 1000 & true"})}, .until_ended = 1});
  EXPECT_TRUE(Alive().empty());
}

}  // namespace
}  // namespace tests::agent
