// SPDX-License-Identifier: Apache-2.0
// What every `RunRetention` drops, and what it leaves. A store's own test program includes this
// once and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, RunRetentionConformance, testing::Values(MakeSqliteScene));
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ports/run_retention.h"
#include "tests/support/run_history_fixture.h"

namespace tests::support {

class RetentionScene : public HistoryScene {
 public:
  virtual std::unique_ptr<ports::RunRetention> OpenRetention() = 0;
};
using MakeRetentionScene = std::function<std::unique_ptr<RetentionScene>()>;

class RunRetentionConformance : public RunHistoryFixture,
                                public testing::WithParamInterface<MakeRetentionScene> {
 protected:
  static constexpr std::int64_t kDay = 20'000;  ///< since 1970
  static constexpr base::Instant kLater =
      base::InstantFromMicros((kDay + 10) * 86'400 * std::int64_t{1'000'000});

  void SetUp() override {
    auto scene = GetParam()();
    RetentionScene& place = *scene;
    Open(std::move(scene));
    retention_ = place.OpenRetention();
  }

  /// The n-th run of a day.
  static model::RunId RunOf(std::int64_t day, std::uint64_t n = 0) {
    return model::RunId((static_cast<std::uint64_t>(day) * 86'400'000 + n) << 20);
  }
  model::RunId Begin(std::int64_t day, std::uint64_t n = 0, const char* key = "",
                     const char* plan = "ci") {
    const std::string id = ToText(RunOf(day, n));
    return Accept({.id = id.c_str(), .key = key, .plan = Plan(plan)});
  }
  model::RunId Whole(std::int64_t day, std::uint64_t n = 0, const char* key = "",
                     const char* plan = "ci") {
    const model::RunId run = Begin(day, n, key, plan);
    EndJob(run, 0, milliseconds(1));
    EndRun(run, model::Status::kSucceeded);
    return run;
  }
  /// Twice, as many as are kept: a recovery from either reads nothing older.
  void TakeSnapshots() {
    for (int i = 0; i < 2; ++i) {
      Commit({}, {{kLater, model::WorkerRecovered{}}}, {});
      ports::CommitBatch batch{.epoch = epoch_, .seq_before = seq_, .seq_after = seq_};
      batch.snapshot = std::make_shared<const model::Snapshot>(model::Snapshot{seq_, {}});
      const base::Status status = store_->Commit(batch);
      ASSERT_TRUE(status.ok()) << status;
    }
  }
  ports::DroppedDays Drop(std::int64_t before, std::vector<model::RunId> open = {}) {
    const auto days = retention_->DropDays(before, open);
    EXPECT_TRUE(days.ok()) << days.status();
    history_->Refresh();
    return days.value_or(ports::DroppedDays{});
  }
  bool IsKnown(model::RunId run) { return history_->FindRun(ToText(run)).ok(); }
  std::vector<model::RunId> InLog() {
    std::vector<model::RunId> runs;
    const base::Status read = store_->ReadAll([&](const ports::FactRow& row) {
      if (row.run != model::RunId() && (runs.empty() || runs.back() != row.run)) {
        runs.push_back(row.run);
      }
      return true;
    });
    EXPECT_TRUE(read.ok()) << read;
    return runs;
  }
  bool HasPlan(const char* name) {
    return store_->LoadPlan(store::codec::DigestOf(*Plan(name))).ok();
  }

  std::unique_ptr<ports::RunRetention> retention_;
};

TEST_P(RunRetentionConformance, DropsWholeDaysWithAllThatTheyHold) {
  const model::RunId old = Whole(kDay, 0, "old", "old plan");
  const model::RunId same_day = Whole(kDay, 1, "", "both");
  const model::RunId young = Whole(kDay + 1, 0, "young", "both");
  TakeSnapshots();
  EXPECT_EQ(Drop(kDay).dropped, 0U) << "a day that is not before";
  const ports::DroppedDays days = Drop(kDay + 1);
  EXPECT_EQ(days.dropped, 1U);
  EXPECT_TRUE(days.kept.empty());
  EXPECT_FALSE(IsKnown(old));
  EXPECT_FALSE(IsKnown(same_day));
  EXPECT_TRUE(IsKnown(young));
  EXPECT_TRUE(history_->JobsOf(old)->empty());
  EXPECT_EQ(history_->JobsOf(young)->size(), 1U);
  EXPECT_FALSE(history_->FindKey("old")->has_value());
  EXPECT_TRUE(history_->FindKey("young")->has_value());
  EXPECT_THAT(InLog(), testing::ElementsAre(young));
  EXPECT_FALSE(HasPlan("old plan"));
  EXPECT_TRUE(HasPlan("both"));
  EXPECT_EQ(Drop(kDay + 1).dropped, 0U) << "again";
}

TEST_P(RunRetentionConformance, LeavesTheDayOfAnOpenRun) {
  const model::RunId over = Whole(kDay);
  const model::RunId open = Begin(kDay, 1);
  const model::RunId other = Whole(kDay + 1);
  TakeSnapshots();
  const ports::DroppedDays days = Drop(kDay + 2, {open});
  EXPECT_EQ(days.dropped, 1U);
  EXPECT_THAT(days.kept, testing::ElementsAre(kDay));
  EXPECT_TRUE(IsKnown(over));
  EXPECT_FALSE(IsKnown(other));
  EXPECT_EQ(Drop(kDay + 2).dropped, 0U) << "nobody named it, but it has not ended";
  EndRun(open, model::Status::kFailed);
  TakeSnapshots();
  EXPECT_EQ(Drop(kDay + 2, {open}).dropped, 0U) << "ended, and the engine still knows it";
  EXPECT_EQ(Drop(kDay + 2).dropped, 1U);
  EXPECT_FALSE(IsKnown(over));
}

TEST_P(RunRetentionConformance, LeavesWhatARecoveryReads) {
  const model::RunId run = Whole(kDay);
  EXPECT_EQ(Drop(kDay + 1).dropped, 0U) << "there is no snapshot";
  TakeSnapshots();
  const model::RunId later = Whole(kDay + 1);
  EXPECT_THAT(Drop(kDay + 2).kept, testing::ElementsAre(kDay + 1));
  EXPECT_FALSE(IsKnown(run));
  EXPECT_TRUE(IsKnown(later));
}

TEST_P(RunRetentionConformance, WhatIsLeftRecoversAndGoesOn) {
  Whole(kDay);
  const model::RunId young = Whole(kDay + 1);
  TakeSnapshots();
  const model::RunId open = Begin(kDay + 1, 1);
  EXPECT_EQ(Drop(kDay + 1).dropped, 1U);
  store_ = scene_->OpenStore();
  epoch_ = *store_->AcquireShard();
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->seq, seq_);
  EXPECT_EQ(recovered->tail.size(), 1U);
  EndRun(open, model::Status::kSucceeded);
  EXPECT_THAT(InLog(), testing::ElementsAre(young, open));
  // A day may come back: nothing is in the way.
  EXPECT_TRUE(IsKnown(Whole(kDay, 5)));
}

TEST_P(RunRetentionConformance, KeepsWhatEnvironmentsHaveUntilSomethingElseIsThere) {
  const auto deploy = [&](std::int64_t day, model::Status status) {
    const model::RunId run = Begin(day);
    Claim(run, 0);
    EndJob(run, 0, milliseconds(1), status);
    EndRun(run, status);
    TakeSnapshots();
    const std::string id = ToText(run);
    const std::string job = JobName(*Plan("ci"), model::JobIndex(0));
    return fmt::format("{} {} {}", id, job, ToText(status));
  };
  const std::string first = deploy(kDay, model::Status::kSucceeded);
  const std::string failed = deploy(kDay + 1, model::Status::kFailed);
  const auto before = history_->ListDeployments({.limit = 1, .is_overview = true});
  EXPECT_EQ(Drop(kDay + 1).dropped, 1U);
  EXPECT_FALSE(IsKnown(RunOf(kDay)));
  EXPECT_THAT(Deployed({}), testing::ElementsAre(failed, first + " now"));
  const auto after = history_->ListDeployments({.limit = 1, .is_overview = true});
  ASSERT_TRUE(before.ok() && after.ok()) << after.status();
  EXPECT_EQ(*after, *before) << "all there is to know of it";
  EXPECT_EQ(Drop(kDay + 2).dropped, 1U);
  EXPECT_THAT(Deployed({}), testing::ElementsAre(first + " now"));
  const std::string second = deploy(kDay + 2, model::Status::kSucceeded);
  EXPECT_THAT(Deployed({}), testing::ElementsAre(second + " now", first));
  EXPECT_EQ(Drop(kDay + 3).dropped, 1U);
  EXPECT_THAT(Deployed({.environment = "production"}), testing::ElementsAre(second + " now"));
}

TEST_P(RunRetentionConformance, RowsSayWhereTheyEnd) {
  Whole(kDay);
  Whole(kDay + 1);
  TakeSnapshots();
  Drop(kDay + 1);
  std::uint64_t last = 0;
  std::uint64_t facts = 0;
  const base::Status read = store_->ReadAll([&](const ports::FactRow& row) {
    EXPECT_GE(row.seq, last + row.facts.size());
    last = row.seq;
    facts += row.facts.size();
    return true;
  });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_EQ(last, seq_);
  EXPECT_LT(facts, seq_);
}

}  // namespace tests::support
