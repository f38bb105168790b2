// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/sequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/loop/loop_scene.h"

namespace engine::loop::testing {
namespace {

constexpr model::SessionId kSession(1);

TEST(Sequencer, NothingLeavesBeforeItsFactsAreDurable) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  const auto answer = scene.Take(Submit(JobsAside(1)));
  scene.sequencer->Pump();
  ASSERT_TRUE(scene.committer->busy());
  EXPECT_TRUE(scene.link.dispatched.empty());
  EXPECT_TRUE(scene.observer.facts.empty());
  EXPECT_FALSE(answer->has_value());
  scene.committer->Finish();
  EXPECT_EQ(scene.link.dispatched.size(), 1U);
  EXPECT_FALSE(scene.observer.facts.empty());
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->status.ok());
  EXPECT_TRUE((*answer)->refused.empty());
}

TEST(Sequencer, InputsThatComeTogetherShareACommit) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(3)));
  scene.Settle();
  EXPECT_EQ(scene.committer->commits(), 1);
}

TEST(Sequencer, TheNextBatchIsSteppedWhileACommitIsInFlight) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(8)));
  scene.Settle();
  const std::vector<model::Lease> leases = scene.link.dispatched;
  ASSERT_GE(leases.size(), 3U);
  scene.sequencer->Take(Succeeded(leases[0]));
  scene.sequencer->Pump();
  scene.sequencer->Take(Succeeded(leases[1]));
  scene.sequencer->Pump();
  scene.sequencer->Take(Succeeded(leases[2]));
  scene.sequencer->Pump();
  EXPECT_EQ(scene.sequencer->counters().inputs, 5U) << "all are stepped";
  EXPECT_EQ(scene.committer->commits(), 2) << "one is in flight";
  scene.committer->FinishAll();
  EXPECT_EQ(scene.committer->commits(), 3) << "two inputs shared the next one";
}

TEST(Sequencer, ARunGoesThroughToItsEnd) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(20)));
  scene.WorkThrough();
  EXPECT_EQ(scene.observer.Count<model::JobEnded>(), 20);
  EXPECT_EQ(scene.observer.Count<model::RunEnded>(), 1);
  EXPECT_TRUE(scene.observer.in_order);
  EXPECT_EQ(scene.observer.facts.size(), scene.sequencer->durable_seq());
  EXPECT_EQ(scene.sequencer->counters().facts, scene.sequencer->durable_seq());
}

TEST(Sequencer, ARefusalAloneIsAnsweredWithoutACommit) {
  Scene scene;
  const auto answer = scene.Take(model::CancelRun{.run = kRun});
  scene.sequencer->Pump();
  EXPECT_EQ(scene.committer->commits(), 0);
  ASSERT_TRUE(answer->has_value());
  ASSERT_EQ((*answer)->refused.size(), 1U);
  EXPECT_EQ((*answer)->refused[0].code, model::RefusalCode::kUnknownRun);
}

TEST(Sequencer, ARefusalWaitsForTheFactsItRestsOn) {
  Scene scene;
  scene.sequencer->Take(Submit(JobsAside(1)));
  const auto again = scene.Take(Submit(JobsAside(1)));
  scene.sequencer->Pump();
  EXPECT_FALSE(again->has_value()) << "the first one is not durable yet";
  scene.committer->Finish();
  ASSERT_TRUE(again->has_value());
  EXPECT_EQ((*again)->refused.at(0).code, model::RefusalCode::kAlreadyExists);
}

TEST(Sequencer, ReadersSeeOnlyWhatIsDurable) {
  Scene scene;
  scene.sequencer->Take(Submit(JobsAside(1)));
  scene.sequencer->Pump();
  std::vector<model::RunId> open;
  int reads = 0;
  scene.sequencer->Read([&](const core::EngineCore& core, base::Instant) {
    open = core.OpenRuns();
    ++reads;
  });
  scene.sequencer->Take(Submit(JobsAside(1), model::RunId(kRun.value() + 1)));
  scene.sequencer->Pump();
  EXPECT_EQ(reads, 0);
  scene.committer->Finish();
  EXPECT_EQ(reads, 1);
  EXPECT_THAT(open, ::testing::ElementsAre(kRun)) << "what came later waited";
  scene.committer->FinishAll();
  EXPECT_EQ(scene.sequencer->core().OpenRuns().size(), 2U);
}

TEST(Sequencer, WakesTheCoreAtItsDeadline) {
  Scene scene;
  tests::support::PlanBuilder plan;
  plan.Job("stuck").Run("sleep").Timeout(std::chrono::seconds(5));
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(plan.Build()));
  scene.Settle();
  ASSERT_EQ(scene.link.dispatched.size(), 1U);
  scene.sequencer->Take(
      model::AttemptReported{scene.link.dispatched[0], {model::ReportStarted{0}}});
  scene.Settle();
  for (int i = 0; i < 10 && scene.link.stopped.empty(); ++i) {
    ASSERT_TRUE(scene.WakeUp());
    scene.Settle();
  }
  EXPECT_EQ(scene.link.stopped.size(), 1U);
}

TEST(Sequencer, TimeNeverGoesBackEvenIfTheClockDoes) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  scene.Settle();
  scene.clock.Set(base::InstantFromMicros(5));
  scene.sequencer->Take(Submit(JobsAside(1)));
  scene.Settle();
  const base::Instant last = scene.observer.facts.back().at;
  scene.Restart();
  scene.sequencer->Take(model::CancelRun{.run = kRun, .by = "me"});
  scene.Settle();
  ASSERT_FALSE(scene.observer.facts.empty());
  EXPECT_GE(scene.observer.facts.front().at, last);
}

TEST(Sequencer, AfterARestartWhatIsOutstandingIsIssuedAgain) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(4)));
  scene.Settle();
  const std::vector<model::Lease> before = scene.link.dispatched;
  scene.sequencer->Take(Succeeded(before[0]));
  scene.sequencer->Pump();  // and the process is killed while the commit is in flight
  scene.Restart();
  EXPECT_THAT(scene.link.dispatched, ::testing::UnorderedElementsAreArray(before));
  scene.WorkThrough();
  EXPECT_EQ(scene.observer.Count<model::RunEnded>(), 1);
}

TEST(Sequencer, AfterARestartWorkersOfThisProcessAreSentNothingOld) {
  Scene scene({.workers_die_with_us = true});
  scene.sequencer->Take(Worker(model::SessionId(scene.sequencer->epoch().value())));
  scene.sequencer->Take(Submit(JobsAside(2)));
  scene.Settle();
  ASSERT_EQ(scene.link.dispatched.size(), 2U);
  scene.Restart();
  EXPECT_TRUE(scene.link.dispatched.empty());
  const model::SessionId session(scene.sequencer->epoch().value());
  model::WorkerConnected worker = Worker(session);
  worker.owner_restarted = true;
  scene.sequencer->Take(worker);
  scene.Settle();
  ASSERT_EQ(scene.link.dispatched.size(), 2U);
  EXPECT_EQ(scene.link.dispatched[0].session, session);
  scene.WorkThrough();
  EXPECT_EQ(scene.observer.Count<model::RunEnded>(), 1);
}

TEST(Sequencer, SnapshotsComeByTheNumberOfFactsAndChangeNothing) {
  Scene scene({.snapshot_every = 30});
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(20)));
  scene.WorkThrough();
  EXPECT_GE(scene.sequencer->counters().snapshots, 2U);
  EXPECT_LE(scene.sequencer->counters().snapshots, 5U);
  const model::Snapshot before = scene.sequencer->core().TakeSnapshot();
  scene.Restart();
  EXPECT_TRUE(scene.sequencer->core().TakeSnapshot() == before);
}

TEST(Sequencer, StopsWhenEverythingIsDurableAndSnapshotsWhatIsOpen) {
  Scene scene({.snapshot_at_stop = 1});
  scene.sequencer->Take(Submit(JobsAside(1)));
  std::optional<base::Status> done;
  scene.sequencer->Stop([&done](const base::Status& status) { done = status; });
  scene.sequencer->Pump();
  EXPECT_FALSE(done.has_value());
  scene.committer->FinishAll();
  ASSERT_TRUE(done.has_value());
  EXPECT_TRUE(done->ok());
  ASSERT_EQ(scene.disk->snapshots.size(), 1U);
  EXPECT_EQ(scene.disk->snapshots[0]->seq, scene.disk->seq);
  const auto late = scene.Take(model::CancelRun{.run = kRun});
  EXPECT_EQ((*late)->status.code(), absl::StatusCode::kCancelled);
}

TEST(Sequencer, ATinyRunEndsWithoutASnapshot) {
  Scene scene;
  scene.sequencer->Take(Submit(JobsAside(1)));
  bool done = false;
  scene.sequencer->Stop([&done](const base::Status&) { done = true; });
  scene.Settle();
  EXPECT_TRUE(done);
  EXPECT_TRUE(scene.disk->snapshots.empty());
}

TEST(Sequencer, ABatchThatIsFullMakesTheInboxWait) {
  Scene scene({.batch_facts_max = 1});
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(2)));
  scene.sequencer->Take(model::CancelRun{.run = kRun, .by = "me"});
  scene.sequencer->Pump();
  EXPECT_EQ(scene.sequencer->queued(), 2U);
  scene.Settle();
  EXPECT_EQ(scene.sequencer->queued(), 0U);
  EXPECT_GE(scene.committer->commits(), 3);
}

TEST(Sequencer, AWorkerThatFallsSilentIsSuspectedThenLost) {
  Scene scene({.liveness = LivenessOptions{}});
  scene.sequencer->Take(Worker(kSession));
  scene.Settle();
  for (int i = 0; i < 5 && scene.observer.Count<model::WorkerLost>() == 0; ++i) {
    ASSERT_TRUE(scene.WakeUp());
    scene.Settle();
  }
  EXPECT_EQ(scene.observer.Count<model::WorkerMarkedSuspect>(), 1);
  EXPECT_EQ(scene.observer.Count<model::WorkerLost>(), 1);
}

}  // namespace
}  // namespace engine::loop::testing
