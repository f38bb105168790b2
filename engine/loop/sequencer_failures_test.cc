// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/loop/loop_scene.h"

namespace engine::loop::testing {
namespace {

using tests::support::DiskFull;
using tests::support::StoreFault;
using tests::support::UnknownOutcome;

constexpr model::SessionId kSession(1);

/// Fails the commits with these numbers (from 1).
auto FailCommits(std::vector<int> numbers, StoreFault fault) {
  return [numbers = std::move(numbers), fault = std::move(fault),
          number = 0](const ports::CommitBatch&) mutable {
    ++number;
    return std::find(numbers.begin(), numbers.end(), number) != numbers.end() ? fault
                                                                              : StoreFault{};
  };
}

TEST(FailedCommit, IsTriedAgainAndNothingIsLostOrToldTwice) {
  Scene scene;
  scene.draw = FailCommits({1}, DiskFull());
  scene.sequencer->Take(Worker(kSession));
  const auto answer = scene.Take(Submit(JobsAside(2)));
  scene.Settle();
  EXPECT_FALSE(answer->has_value());
  EXPECT_TRUE(scene.link.dispatched.empty());
  ASSERT_EQ(scene.troubles.size(), 1U);
  EXPECT_EQ(scene.troubles[0].code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(scene.WakeUp()) << "after a pause";
  scene.Settle();
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->status.ok());
  EXPECT_TRUE((*answer)->refused.empty());
  EXPECT_EQ(scene.link.dispatched.size(), 2U);
  EXPECT_TRUE(scene.observer.in_order);
  EXPECT_EQ(scene.sequencer->counters().recoveries, 1U);
}

TEST(FailedCommit, WhatWasSteppedMeanwhileIsSteppedAgain) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(8)));
  scene.Settle();
  scene.draw = FailCommits({1}, DiskFull());
  const std::vector<model::Lease> leases = scene.link.dispatched;
  for (const model::Lease& lease : leases) {
    scene.sequencer->Take(Succeeded(lease));
    scene.sequencer->Pump();
  }
  scene.Settle();
  ASSERT_TRUE(scene.WakeUp());
  scene.Settle();
  EXPECT_EQ(scene.observer.Count<model::AttemptEnded>(), static_cast<int>(leases.size()));
  EXPECT_TRUE(scene.observer.in_order);
}

TEST(FailedCommit, OutstandingEffectsAreIssuedAgain) {
  Scene scene;
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(2)));
  scene.Settle();
  const std::vector<model::Lease> before = std::exchange(scene.link.dispatched, {});
  scene.draw = FailCommits({1}, DiskFull());
  scene.sequencer->Take(model::CancelRun{.run = model::RunId(7)});
  scene.sequencer->Take(Submit(JobsAside(1), model::RunId(kRun.value() + 1)));
  scene.Settle();
  ASSERT_TRUE(scene.WakeUp());
  EXPECT_THAT(scene.link.dispatched, ::testing::IsSupersetOf(before));
}

TEST(FailedCommit, WhoseFactsAreStoredAllTheSameShowsThemOnce) {
  Scene scene;
  scene.draw = FailCommits({1}, UnknownOutcome());
  scene.sequencer->Take(Worker(kSession));
  const auto answer = scene.Take(Submit(JobsAside(2)));
  scene.Settle();
  EXPECT_TRUE(scene.observer.facts.empty());
  ASSERT_TRUE(scene.WakeUp());
  scene.Settle();
  EXPECT_EQ(scene.observer.Count<model::RunAccepted>(), 1);
  EXPECT_TRUE(scene.observer.in_order);
  EXPECT_EQ(scene.observer.facts.size(), scene.sequencer->durable_seq());
  EXPECT_EQ(scene.link.dispatched.size(), 2U);
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->status.ok());
  EXPECT_TRUE((*answer)->refused.empty()) << "it was accepted, though it was stepped twice";
}

TEST(FailedCommit, WithASnapshotThatIsStoredAllTheSameShowsTheFactsToo) {
  Scene scene({.snapshot_every = 1});
  scene.draw = FailCommits({1}, UnknownOutcome());
  scene.sequencer->Take(Submit(JobsAside(2)));
  scene.Settle();
  ASSERT_TRUE(scene.WakeUp());
  scene.Settle();
  EXPECT_EQ(scene.observer.Count<model::RunAccepted>(), 1);
  EXPECT_TRUE(scene.observer.in_order);
}

TEST(FailedCommit, WhoseFactsCannotAllBeReadShowsThemOnceWhenTheyCan) {
  Scene scene({.snapshot_every = 1});
  scene.draw = FailCommits({1}, UnknownOutcome());
  scene.sequencer->Take(Submit(JobsAside(1)));
  scene.sequencer->Take(Submit(JobsAside(1), model::RunId(kRun.value() + 1)));
  scene.Settle();
  scene.store->FailReads({base::Unavailable("the connection broke")});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(scene.WakeUp());
    scene.Settle();
  }
  EXPECT_EQ(scene.observer.Count<model::RunAccepted>(), 2);
  EXPECT_TRUE(scene.observer.in_order);
}

TEST(FailedCommit, PausesLongerEachTimeAndThenGivesUp) {
  Scene scene({.failures_max = 3});
  scene.draw = [](const ports::CommitBatch&) { return DiskFull(); };
  const auto answer = scene.Take(Submit(JobsAside(2)));
  std::vector<base::Duration> pauses;
  scene.Settle();
  while (scene.fatals.empty() && pauses.size() < 10) {
    pauses.push_back(scene.wake_at.value() - scene.clock.Now());
    ASSERT_TRUE(scene.WakeUp());
    scene.Settle();
  }
  using std::chrono::milliseconds;
  EXPECT_THAT(pauses, ::testing::ElementsAre(milliseconds(20), milliseconds(40), milliseconds(80)));
  ASSERT_EQ(scene.fatals.size(), 1U);
  EXPECT_EQ(scene.fatals[0].code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->status, scene.fatals[0]);
  EXPECT_TRUE(scene.sequencer->fatal());
  EXPECT_EQ((*scene.Take(model::CancelRun{}))->status, scene.fatals[0]);
}

TEST(FailedCommit, NeverPausesLongerThanItsLimit) {
  Scene scene({.failures_max = 100, .pause_max = std::chrono::milliseconds(50)});
  scene.draw = [](const ports::CommitBatch&) { return DiskFull(); };
  scene.sequencer->Take(Submit(JobsAside(2)));
  scene.Settle();
  for (int i = 0; i < 60; ++i) {
    EXPECT_LE(scene.wake_at.value() - scene.clock.Now(), std::chrono::milliseconds(50));
    ASSERT_TRUE(scene.WakeUp());
    scene.Settle();
  }
  EXPECT_TRUE(scene.fatals.empty());
}

TEST(FailedCommit, ThatSucceedsLaterForgetsTheFailures) {
  Scene scene({.failures_max = 1});
  scene.draw = FailCommits({1, 3}, DiskFull());
  scene.sequencer->Take(Worker(kSession));
  scene.Settle();
  ASSERT_TRUE(scene.WakeUp());
  scene.Settle();
  scene.sequencer->Take(Submit(JobsAside(1)));
  scene.Settle();
  ASSERT_TRUE(scene.WakeUp());
  scene.Settle();
  EXPECT_TRUE(scene.fatals.empty());
  EXPECT_EQ(scene.link.dispatched.size(), 1U);
}

TEST(FailedCommit, OfADeposedOwnerIsTheEnd) {
  Scene scene;
  scene.sequencer->Take(Submit(JobsAside(1)));
  scene.sequencer->Pump();
  const auto other = store::memory::OpenMemoryRunStore(scene.disk);
  ASSERT_TRUE(other->AcquireShard().ok());
  scene.Settle();
  ASSERT_EQ(scene.fatals.size(), 1U);
  EXPECT_EQ(scene.fatals[0].code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(scene.committer->busy());
  EXPECT_EQ(scene.disk->seq, 0U);
}

TEST(FailedCommit, WhoseRecoveryFailsTooIsTriedAgain) {
  Scene scene;
  scene.draw = FailCommits({1}, DiskFull());
  scene.sequencer->Take(Worker(kSession));
  scene.sequencer->Take(Submit(JobsAside(1)));
  scene.Settle();
  scene.store->FailRecoveries({base::Unavailable("locked"), base::Unavailable("locked")});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(scene.WakeUp());
    scene.Settle();
  }
  EXPECT_TRUE(scene.fatals.empty());
  EXPECT_EQ(scene.link.dispatched.size(), 1U);
}

TEST(FailedCommit, WhosePlansAreOutOfReachForAMomentIsTriedAgain) {
  Scene scene;
  scene.draw = FailCommits({2}, DiskFull());
  scene.sequencer->Take(Submit(JobsAside(1)));
  scene.Settle();
  scene.sequencer->Take(Worker(kSession));
  scene.Settle();
  scene.store->FailPlans({base::Unavailable("the connection broke")});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(scene.WakeUp());
    scene.Settle();
  }
  EXPECT_TRUE(scene.fatals.empty());
  EXPECT_EQ(scene.link.dispatched.size(), 1U);
}

TEST(FailedCommit, AtTheStopIsTroubleButNoLoss) {
  Scene scene({.snapshot_at_stop = 1});
  scene.draw = FailCommits({2}, DiskFull());
  scene.sequencer->Take(Submit(JobsAside(1)));
  std::optional<base::Status> done;
  scene.sequencer->Stop([&done](const base::Status& status) { done = status; });
  scene.Settle();
  ASSERT_TRUE(done.has_value());
  EXPECT_TRUE(done->ok());
  EXPECT_EQ(scene.troubles.size(), 1U);
}

// Whatever fails in whatever order: the run ends, every fact is shown once, and the log says the
// same.
TEST(FailedCommit, AtRandomNeverChangesTheOutcome) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Scene scene({.snapshot_every = 40, .failures_max = 100});
    base::Random random(seed);
    scene.draw = [&random](const ports::CommitBatch&) {
      const std::uint64_t kind = random.Below(6);
      return kind == 0 ? DiskFull() : kind == 1 ? UnknownOutcome() : StoreFault{};
    };
    scene.sequencer->Take(Worker(kSession));
    scene.sequencer->Take(Submit(JobsAside(12)));
    std::size_t answered = 0;
    for (int round = 0; round < 500 && scene.observer.Count<model::RunEnded>() == 0; ++round) {
      scene.Settle();
      if (answered < scene.link.dispatched.size()) {
        scene.sequencer->Take(Succeeded(scene.link.dispatched[answered++]));
      } else {
        scene.WakeUp();
      }
    }
    ASSERT_EQ(scene.observer.Count<model::RunEnded>(), 1) << "seed " << seed;
    EXPECT_EQ(scene.observer.Count<model::JobEnded>(), 12) << "seed " << seed;
    EXPECT_TRUE(scene.observer.in_order) << "seed " << seed;
    EXPECT_EQ(scene.observer.facts.size(), scene.disk->seq) << "seed " << seed;
  }
}

}  // namespace
}  // namespace engine::loop::testing
