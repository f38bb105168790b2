// SPDX-License-Identifier: Apache-2.0
// What every `RunStore` promises, as one suite over all of them. A store's own test program
// includes this once and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Memory, RunStoreConformance, testing::Values(MakeMemoryScene));
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/ports/run_store.h"
#include "store/codec/plan_codec.h"
#include "tests/support/sample_facts.h"

namespace tests::support {

/// One empty place to store in. What was opened on it sees what was stored through another.
class StoreScene {
 public:
  virtual ~StoreScene() = default;
  virtual std::unique_ptr<engine::ports::RunStore> Open() = 0;
};
using MakeStoreScene = std::function<std::unique_ptr<StoreScene>()>;

class RunStoreConformance : public testing::TestWithParam<MakeStoreScene> {
 protected:
  using Batch = engine::ports::CommitBatch;

  void SetUp() override {
    scene_ = GetParam()();
    store_ = scene_->Open();
    auto epoch = store_->AcquireShard();
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    epoch_ = *epoch;
  }

  /// The next batch: one of each fact, of run `run`.
  Batch Next(engine::model::RunId run) {
    Batch batch;
    batch.epoch = epoch_;
    batch.seq_before = seq_;
    // Facts about workers are in rows of their own, as the loop writes them.
    for (engine::model::Fact& fact : OneOfEach(random_, run)) {
      const engine::model::RunId of = RunOf(fact);
      if (batch.rows.empty() || batch.rows.back().run != of) {
        batch.rows.push_back({of, {}});
      }
      batch.rows.back().facts.push_back(std::move(fact));
      ++batch.seq_after;
    }
    batch.seq_after += seq_;
    return batch;
  }
  engine::base::Status Commit(const Batch& batch) {
    engine::base::Status status = store_->Commit(batch);
    if (status.ok()) {
      seq_ = batch.seq_after;
      for (const engine::ports::FactRow& row : batch.rows) {
        written_.insert(written_.end(), row.facts.begin(), row.facts.end());
      }
    }
    return status;
  }
  std::vector<engine::model::Fact> ReadAllFacts() {
    std::vector<engine::model::Fact> facts;
    EXPECT_TRUE(store_
                    ->ReadAll([&facts](const engine::ports::FactRow& row) {
                      facts.insert(facts.end(), row.facts.begin(), row.facts.end());
                      return true;
                    })
                    .ok());
    return facts;
  }

  std::unique_ptr<StoreScene> scene_;
  std::unique_ptr<engine::ports::RunStore> store_;
  engine::base::Random random_{42};
  engine::model::Epoch epoch_;
  std::uint64_t seq_ = 0;
  std::vector<engine::model::Fact> written_;
  static constexpr engine::model::RunId kRun{0x18c2f00000001234};
};

TEST_P(RunStoreConformance, AnEmptyStoreRecoversToNothing) {
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->seq, 0U);
  EXPECT_EQ(recovered->snapshot, nullptr);
  EXPECT_TRUE(recovered->tail.empty());
}

TEST_P(RunStoreConformance, GivesBackEveryFactInOrder) {
  for (int i = 0; i < 5; ++i) {
    const auto committed = Commit(Next(engine::model::RunId(kRun.value() + random_.Below(2))));
    ASSERT_TRUE(committed.ok()) << committed;
  }
  EXPECT_TRUE(ReadAllFacts() == written_);
  store_ = scene_->Open();
  EXPECT_TRUE(ReadAllFacts() == written_);
}

TEST_P(RunStoreConformance, RecoversRowsAsTheyWereWritten) {
  const Batch batch = Next(kRun);
  ASSERT_TRUE(Commit(batch).ok());
  store_ = scene_->Open();
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->seq, batch.seq_after);
  ASSERT_EQ(recovered->tail.size(), batch.rows.size());
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    EXPECT_EQ(recovered->tail[i].run, batch.rows[i].run);
    EXPECT_TRUE(recovered->tail[i].facts == batch.rows[i].facts) << "row " << i;
  }
}

TEST_P(RunStoreConformance, RecoversTheNewestSnapshotAndWhatCameAfter) {
  for (int i = 0; i < 3; ++i) {
    Batch batch = Next(kRun);
    batch.snapshot = std::make_shared<const engine::model::Snapshot>(
        engine::model::Snapshot{batch.seq_after, {batch.rows[0].facts[0]}});
    ASSERT_TRUE(Commit(batch).ok());
  }
  const std::uint64_t snapshot_seq = seq_;
  const Batch last = Next(kRun);
  ASSERT_TRUE(Commit(last).ok());
  store_ = scene_->Open();
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  ASSERT_NE(recovered->snapshot, nullptr);
  EXPECT_EQ(recovered->snapshot->seq, snapshot_seq);
  EXPECT_EQ(recovered->snapshot->facts.size(), 1U);
  EXPECT_EQ(recovered->tail.size(), last.rows.size());
  EXPECT_EQ(recovered->seq, seq_);
  EXPECT_TRUE(ReadAllFacts() == written_) << "a snapshot replaces nothing of the log";
}

TEST_P(RunStoreConformance, ASnapshotMayComeAlone) {
  ASSERT_TRUE(Commit(Next(kRun)).ok());
  Batch batch;
  batch.epoch = epoch_;
  batch.seq_before = batch.seq_after = seq_;
  batch.snapshot =
      std::make_shared<const engine::model::Snapshot>(engine::model::Snapshot{seq_, {}});
  ASSERT_TRUE(Commit(batch).ok());
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  ASSERT_NE(recovered->snapshot, nullptr);
  EXPECT_TRUE(recovered->tail.empty());
  EXPECT_EQ(recovered->seq, seq_);
}

TEST_P(RunStoreConformance, KnowsTheTimeOfTheNewestFact) {
  const auto at = engine::base::InstantFromMicros(1'700'000'000'000'007);
  Batch batch;
  batch.epoch = epoch_;
  batch.seq_after = 1;
  batch.rows = {{kRun, {{at, engine::model::RunClosed{kRun}}}}};
  ASSERT_TRUE(Commit(batch).ok());
  EXPECT_EQ(store_->Recover()->last_at, at);
}

TEST_P(RunStoreConformance, ACommitThatDoesNotFollowTheLastIsAborted) {
  ASSERT_TRUE(Commit(Next(kRun)).ok());
  for (const std::int64_t off : {-1, 1}) {
    Batch batch = Next(kRun);
    batch.seq_before += static_cast<std::uint64_t>(off);
    batch.seq_after += static_cast<std::uint64_t>(off);
    EXPECT_EQ(Commit(batch).code(), absl::StatusCode::kAborted);
  }
  EXPECT_TRUE(ReadAllFacts() == written_);
  EXPECT_TRUE(Commit(Next(kRun)).ok());
}

TEST_P(RunStoreConformance, ADeposedOwnerCannotWrite) {
  ASSERT_TRUE(Commit(Next(kRun)).ok());
  const auto other = scene_->Open();
  const auto epoch = other->AcquireShard();
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_GT(*epoch, epoch_);
  const engine::base::Status status = Commit(Next(kRun));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_THAT(std::string(engine::base::Message(status)), testing::HasSubstr("epoch"));
  EXPECT_TRUE(ReadAllFacts() == written_);
  Batch batch = Next(kRun);
  batch.epoch = *epoch;
  EXPECT_TRUE(other->Commit(batch).ok());
}

TEST_P(RunStoreConformance, EpochsGrowAcrossOpenings) {
  engine::model::Epoch last = epoch_;
  for (int i = 0; i < 3; ++i) {
    store_ = scene_->Open();
    const auto epoch = store_->AcquireShard();
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    EXPECT_GT(*epoch, last);
    last = *epoch;
  }
}

TEST_P(RunStoreConformance, ACountThatIsWrongChangesNothing) {
  Batch batch = Next(kRun);
  ++batch.seq_after;
  EXPECT_FALSE(Commit(batch).ok());
  EXPECT_TRUE(ReadAllFacts().empty());
  EXPECT_EQ(store_->Recover()->seq, 0U);
  EXPECT_TRUE(Commit(Next(kRun)).ok());
}

TEST_P(RunStoreConformance, KeepsPlansByDigest) {
  engine::base::Random random(5);
  auto plan = std::make_shared<const engine::model::Plan>(AnyPlan(random));
  const engine::model::PlanDigest digest = store::codec::DigestOf(*plan);
  for (int i = 0; i < 2; ++i) {  // repeats are harmless
    Batch batch = Next(kRun);
    batch.plans.emplace_back(digest, plan);
    ASSERT_TRUE(Commit(batch).ok());
  }
  store_ = scene_->Open();
  const auto loaded = store_->LoadPlan(digest);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(SamePlan(**loaded, *plan));
}

TEST_P(RunStoreConformance, APlanThatWasNeverStoredIsNotFound) {
  EXPECT_EQ(store_->LoadPlan(engine::base::Sha256("none")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(RunStoreConformance, ReadsOnFromTheEndOfAnyCommit) {
  ASSERT_TRUE(Commit(Next(kRun)).ok());
  const std::uint64_t after = seq_;
  ASSERT_TRUE(Commit(Next(kRun)).ok());
  std::vector<engine::model::Fact> facts;
  const auto gather = [&facts](const engine::ports::FactRow& row) {
    facts.insert(facts.end(), row.facts.begin(), row.facts.end());
    return true;
  };
  ASSERT_TRUE(store_->ReadAfter(after, gather).ok());
  EXPECT_TRUE(std::equal(facts.begin(), facts.end(),
                         written_.begin() + static_cast<std::ptrdiff_t>(after), written_.end()));
  facts.clear();
  ASSERT_TRUE(store_->ReadAfter(seq_, gather).ok());
  EXPECT_TRUE(facts.empty());
}

TEST_P(RunStoreConformance, ReadingStopsWhenTheVisitorHasEnough) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Commit(Next(kRun)).ok());
  }
  int rows = 0;
  ASSERT_TRUE(store_->ReadAll([&rows](const engine::ports::FactRow&) { return ++rows < 2; }).ok());
  EXPECT_EQ(rows, 2);
}

// More runs than are asked for together, of several days.
TEST_P(RunStoreConformance, ReadsTheRowsOfSomeRunsAlone) {
  using Facts = std::map<engine::model::RunId, std::vector<engine::model::Fact>>;
  Facts wanted;
  for (std::uint64_t i = 0; i < 2 * 150; ++i) {
    constexpr std::uint64_t kDay = std::uint64_t{86'400'000} << 20U;
    const engine::model::RunId run(kRun.value() + i % 3 * kDay + i % 150);
    const Batch batch = Next(run);
    ASSERT_TRUE(Commit(batch).ok());
    for (const engine::ports::FactRow& row : batch.rows) {
      if (row.run.value() % 2 == 0 && row.run.value() != 0) {
        auto& facts = wanted[row.run];
        facts.insert(facts.end(), row.facts.begin(), row.facts.end());
      }
    }
  }
  std::vector<engine::model::RunId> runs = {engine::model::RunId(1)};  // that nobody knows
  for (const auto& [run, facts] : wanted) {
    runs.push_back(run);
  }
  Facts read;
  const auto status = store_->ReadRuns(runs, [&read](const engine::ports::FactRow& row) {
    read[row.run].insert(read[row.run].end(), row.facts.begin(), row.facts.end());
    return true;
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(read == wanted);
}

}  // namespace tests::support
