// SPDX-License-Identifier: Apache-2.0
// What every `ShardLease` promises, as one suite over all of them. A test program includes this
// once and instantiates it.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "engine/ports/shard_lease.h"

namespace tests::support {

/// One shard that nobody has owned yet.
class LeaseScene {
 public:
  virtual ~LeaseScene() = default;
  virtual std::unique_ptr<engine::ports::ShardLease> Open() = 0;
  /// As much time passes by the store's clock as ends any lease.
  virtual void LetLeasesEnd() = 0;
};
using MakeLeaseScene = std::function<std::unique_ptr<LeaseScene>()>;

class ShardLeaseConformance : public testing::TestWithParam<MakeLeaseScene> {
 protected:
  void SetUp() override {
    scene_ = GetParam()();
    first_ = scene_->Open();
    second_ = scene_->Open();
  }
  static engine::ports::OwnerName Named(const char* name) {
    return {name, std::string(name) + ".example:7000"};
  }
  engine::ports::LeaseTry Take(engine::ports::ShardLease& lease, const char* name) {
    auto tried = lease.Try(Named(name), kLength);
    EXPECT_TRUE(tried.ok()) << tried.status();
    return tried.ok() ? *tried : engine::ports::LeaseTry{};
  }

  static constexpr engine::base::Duration kLength = std::chrono::hours(1);
  static constexpr engine::base::Duration kLong = std::chrono::minutes(1);
  std::unique_ptr<LeaseScene> scene_;
  std::unique_ptr<engine::ports::ShardLease> first_, second_;
};

TEST_P(ShardLeaseConformance, AShardThatNobodyEverOwnedSaysSo) {
  const auto owner = first_->Owner();
  ASSERT_TRUE(owner.ok()) << owner.status();
  EXPECT_EQ(owner->epoch, engine::model::Epoch());
  EXPECT_TRUE(owner->owner.name.empty());
  EXPECT_LE(owner->remaining, engine::base::Duration(0));
}

TEST_P(ShardLeaseConformance, TheFirstTakesItAndTheSecondSeesWhoHasIt) {
  const engine::ports::LeaseTry mine = Take(*first_, "a");
  EXPECT_TRUE(mine.taken);
  EXPECT_EQ(mine.owner.epoch, engine::model::Epoch(1));
  EXPECT_EQ(mine.owner.owner, Named("a"));
  const engine::ports::LeaseTry theirs = Take(*second_, "b");
  EXPECT_FALSE(theirs.taken);
  EXPECT_EQ(theirs.owner.epoch, engine::model::Epoch(1));
  EXPECT_EQ(theirs.owner.owner, Named("a"));
  EXPECT_GT(theirs.owner.remaining, engine::base::Duration(0));
  EXPECT_LE(theirs.owner.remaining, kLength);
}

TEST_P(ShardLeaseConformance, ALeaseThatEndedIsTakenUnderAHigherEpoch) {
  const engine::model::Epoch before = Take(*first_, "a").owner.epoch;
  scene_->LetLeasesEnd();
  const engine::ports::LeaseTry taken = Take(*second_, "b");
  EXPECT_TRUE(taken.taken);
  EXPECT_GT(taken.owner.epoch, before);
  EXPECT_FALSE(*first_->Renew(before, kLength));
  EXPECT_EQ(first_->Owner()->owner, Named("b"));
}

TEST_P(ShardLeaseConformance, ALeaseThatEndedMayBeRenewedWhileNobodyTookIt) {
  const engine::model::Epoch epoch = Take(*first_, "a").owner.epoch;
  scene_->LetLeasesEnd();
  EXPECT_TRUE(*first_->Renew(epoch, kLength));
  EXPECT_FALSE(Take(*second_, "b").taken);
}

TEST_P(ShardLeaseConformance, ALeaseGivenUpIsFreeAtOnce) {
  const engine::model::Epoch epoch = Take(*first_, "a").owner.epoch;
  ASSERT_TRUE(first_->GiveUp(epoch).ok());
  EXPECT_TRUE(second_->Owner()->owner.name.empty());
  EXPECT_TRUE(Take(*second_, "b").taken);
  EXPECT_TRUE(first_->GiveUp(epoch).ok()) << "of an epoch that is over: nothing happens";
  EXPECT_EQ(second_->Owner()->owner, Named("b"));
}

TEST_P(ShardLeaseConformance, GivingUpWakesWhoWaits) {
  const engine::model::Epoch epoch = Take(*first_, "a").owner.epoch;
  EXPECT_FALSE(Take(*second_, "b").taken);
  std::thread waiting([this] { second_->Wait(kLong); });
  ASSERT_TRUE(first_->GiveUp(epoch).ok());
  waiting.join();
  EXPECT_TRUE(Take(*second_, "b").taken);
}

TEST_P(ShardLeaseConformance, WakeEndsTheWaitThatFollows) {
  first_->Wake();
  first_->Wait(kLong);
  std::thread waiting([this] { second_->Wait(kLong); });
  second_->Wake();
  waiting.join();
}

}  // namespace tests::support
