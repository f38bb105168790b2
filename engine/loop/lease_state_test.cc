// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/lease_state.h"

#include <gtest/gtest.h>

namespace engine::loop {
namespace {

using Kind = LeaseMove::Kind;
using base::Duration;
using std::chrono::milliseconds;

constexpr LeaseTimes kTimes = {.length = milliseconds(3000),
                               .renew_every = milliseconds(1000),
                               .retry_every = milliseconds(200)};

ports::LeaseTry Taken(std::uint64_t epoch) {
  return {.taken = true, .owner = {model::Epoch(epoch), {"us", ""}, kTimes.length}};
}
ports::LeaseTry TheirsFor(Duration remaining) {
  return {.taken = false, .owner = {model::Epoch(7), {"them", ""}, remaining}};
}

// An owner since the question at 1,000 ms was answered at 1,010.
LeaseState Owner() {
  LeaseState state(kTimes);
  state.OnTried(milliseconds(1000), milliseconds(1010), Taken(4));
  return state;
}

TEST(LeaseState, AStandbyTriesAtOnce) {
  const LeaseState state(kTimes);
  EXPECT_EQ(state.StandingAt(milliseconds(5)), Standing::kStandby);
  EXPECT_EQ(state.NextMove(milliseconds(5)).kind, Kind::kTry);
}

TEST(LeaseState, AStandbyWaitsUntilTheOthersLeaseMayEnd) {
  LeaseState state(kTimes);
  state.OnTried(milliseconds(0), milliseconds(10), TheirsFor(milliseconds(2500)));
  const LeaseMove move = state.NextMove(milliseconds(10));
  EXPECT_EQ(move.kind, Kind::kWait);
  EXPECT_EQ(move.wait, milliseconds(2500));
  EXPECT_EQ(state.NextMove(milliseconds(2510)).kind, Kind::kTry);
}

TEST(LeaseState, ALeaseGivenUpLetsAStandbyTryAtOnce) {
  LeaseState state(kTimes);
  state.OnTried(milliseconds(0), milliseconds(10), TheirsFor(milliseconds(2500)));
  state.OnWoken(milliseconds(20));
  EXPECT_EQ(state.NextMove(milliseconds(20)).kind, Kind::kTry);
}

TEST(LeaseState, TheLeaseCountsFromWhenItWasAskedFor) {
  const LeaseState state = Owner();
  EXPECT_EQ(state.epoch(), model::Epoch(4));
  EXPECT_EQ(state.StandingAt(milliseconds(3999)), Standing::kOwner);
  EXPECT_EQ(state.StandingAt(milliseconds(4000)), Standing::kDoubtful);
}

TEST(LeaseState, AnOwnerRenewsEachSecond) {
  LeaseState state = Owner();
  EXPECT_EQ(state.NextMove(milliseconds(1010)).wait, milliseconds(990));
  EXPECT_EQ(state.NextMove(milliseconds(2000)).kind, Kind::kRenew);
  state.OnRenewed(milliseconds(2000), milliseconds(2005), true);
  EXPECT_EQ(state.NextMove(milliseconds(2999)).kind, Kind::kWait);
  EXPECT_EQ(state.NextMove(milliseconds(3000)).kind, Kind::kRenew);
  EXPECT_EQ(state.StandingAt(milliseconds(4999)), Standing::kOwner);
}

TEST(LeaseState, WakingAnOwnerChangesNothing) {
  LeaseState state = Owner();
  state.OnWoken(milliseconds(1100));
  EXPECT_EQ(state.NextMove(milliseconds(1100)).kind, Kind::kWait);
}

TEST(LeaseState, WithoutAnAnswerAnOwnerBecomesDoubtfulAndAsksOn) {
  LeaseState state = Owner();
  for (int at = 2000; at < 3900; at += 200) {
    EXPECT_EQ(state.NextMove(milliseconds(at)).kind, Kind::kRenew) << at;
    state.OnRenewed(milliseconds(at), milliseconds(at), base::Unavailable("gone"));
    EXPECT_EQ(state.StandingAt(milliseconds(at)), Standing::kOwner);
  }
  // It waits no longer than until it has to say so.
  EXPECT_EQ(state.NextMove(milliseconds(3850)).wait, milliseconds(150));
  EXPECT_EQ(state.StandingAt(milliseconds(4000)), Standing::kDoubtful);
  EXPECT_EQ(state.NextMove(milliseconds(4000)).kind, Kind::kRenew);
}

TEST(LeaseState, AnAnswerMakesADoubtfulOwnerAnOwnerAgain) {
  LeaseState state = Owner();
  ASSERT_EQ(state.StandingAt(milliseconds(9000)), Standing::kDoubtful);
  state.OnRenewed(milliseconds(9000), milliseconds(9100), true);
  EXPECT_EQ(state.StandingAt(milliseconds(9100)), Standing::kOwner);
  EXPECT_EQ(state.StandingAt(milliseconds(12000)), Standing::kDoubtful);
}

TEST(LeaseState, AnAnswerThatCameTooLateMakesNoOwner) {
  LeaseState state = Owner();
  state.OnRenewed(milliseconds(2000), milliseconds(6000), true);
  EXPECT_EQ(state.StandingAt(milliseconds(6000)), Standing::kDoubtful);
  EXPECT_EQ(state.NextMove(milliseconds(6000)).kind, Kind::kRenew);
}

TEST(LeaseState, AnotherEpochDeposesForGood) {
  LeaseState state = Owner();
  state.OnRenewed(milliseconds(2000), milliseconds(2005), false);
  EXPECT_EQ(state.StandingAt(milliseconds(2005)), Standing::kDeposed);
  EXPECT_EQ(state.NextMove(milliseconds(2005)).kind, Kind::kNothing);
  state.OnWoken(milliseconds(2010));
  EXPECT_EQ(state.StandingAt(milliseconds(2010)), Standing::kDeposed);
}

TEST(LeaseState, AfterAnErrorAStandbyTriesAgainSoon) {
  LeaseState state(kTimes);
  state.OnTried(milliseconds(0), milliseconds(50), base::Unavailable("gone"));
  EXPECT_EQ(state.NextMove(milliseconds(50)).wait, milliseconds(200));
  EXPECT_EQ(state.NextMove(milliseconds(250)).kind, Kind::kTry);
}

}  // namespace
}  // namespace engine::loop
