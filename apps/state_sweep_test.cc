// SPDX-License-Identifier: Apache-2.0
#include "apps/state_sweep.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/reports/annotation_document.h"
#include "agents/reports/test_document.h"
#include "apps/local_caches.h"
#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"
#include "store/codec/plan_codec.h"
#include "store/sqlite/sqlite_run_store.h"
#include "tests/support/temp_folder.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
namespace ports = engine::ports;
using std::chrono::hours;

constexpr base::Instant kStart = base::InstantFromMicros(1'700'000'000'000'000);

class StateSweepTest : public testing::Test {
 protected:
  StateSweepTest() {
    auto state = StateDir::OpenAt(root_.File("state"), /*create=*/true);
    EXPECT_TRUE(state.ok()) << state.status();
    state_.emplace(*std::move(state));
    store_ = *store::artifacts::LocalStore::Open(state_->chunks());
  }

  /// An artifact of one file, stored at `kStart`.
  model::Artifact Pack(const std::string& text) {
    fs::create_directories(root_.File("ws"));
    std::ofstream(root_.File("ws/file")) << text;
    store::artifacts::Archive archive(*store_);
    auto artifact = archive.Pack({.root = root_.File("ws"), .name = "bin", .paths = {"file"}}, {});
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    SetTimes();
    return *artifact;
  }
  void SetTimes() {
    for (const auto& entry : fs::recursive_directory_iterator(state_->chunks())) {
      const timespec time{.tv_sec = base::ToMicros(kStart) / 1'000'000, .tv_nsec = 0};
      const timespec times[2] = {time, time};
      utimensat(AT_FDCWD, entry.path().c_str(), times, 0);
    }
  }
  bool CanUnpack(const model::Artifact& artifact) {
    fs::create_directories(root_.File("out"));
    store::artifacts::Archive archive(*store_);
    return archive.Unpack(artifact, root_.File("out"), {}).ok();
  }

  /// A run whose only job left `result` at `kStart`; it has ended unless `is_open`.
  model::RunId Run(model::JobResult result, base::Duration expire = {}, bool is_open = false) {
    const model::RunId run(++runs_);
    const auto folder = state_->MakeRunFolder(run);
    EXPECT_TRUE(folder.ok()) << folder.status();
    auto plan = std::make_shared<model::Plan>();
    plan->specs.emplace_back().name = "build";
    plan->specs[0].rare = std::make_unique<model::RareJobSettings>();
    plan->specs[0].rare->artifacts_expire = expire;
    plan->jobs.push_back({.spec = model::SpecIndex(0), .cell = {}});
    const model::PlanDigest digest = store::codec::DigestOf(*plan);
    model::RunAccepted accepted;
    accepted.run = run;
    accepted.plan = digest;
    accepted.context = std::make_shared<model::RunContext>();
    accepted.ranks = {1};
    result.status = model::Status::kSucceeded;
    ports::FactRow row{.run = run, .facts = {}};
    row.facts.push_back({kStart, accepted});
    row.facts.push_back(
        {kStart, model::JobEnded{run, model::JobIndex(0),
                                 std::make_shared<const model::JobResult>(std::move(result))}});
    if (!is_open) {
      row.facts.push_back({kStart, model::RunEnded{.run = run, .reason = {}}});
    }
    const auto facts = store::sqlite::OpenSqliteRunStore(*folder + "/facts.db");
    EXPECT_TRUE(facts.ok()) << facts.status();
    const auto epoch = (*facts)->AcquireShard();
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    const std::uint64_t count = row.facts.size();
    const base::Status committed = (*facts)->Commit({.epoch = *epoch,
                                                     .seq_before = 0,
                                                     .seq_after = count,
                                                     .rows = {std::move(row)},
                                                     .plans = {{digest, plan}},
                                                     .snapshot = nullptr});
    EXPECT_EQ(committed, base::OkStatus());
    return run;
  }

  void Damage(model::RunId run) {
    const std::string path = state_->run_folder(run) + "/facts.db";
    std::ofstream(path, std::ios::binary) << std::string(8192, 'x');
    fs::remove(path + "-wal");
    fs::remove(path + "-shm");
  }

  SweepOutcome Sweep(base::Duration after) {
    const auto outcome = SweepState(*state_, kStart + after);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.value_or(SweepOutcome{});
  }

  tests::support::TempFolder root_;
  std::optional<StateDir> state_;
  std::unique_ptr<store::artifacts::LocalStore> store_;
  std::uint64_t runs_ = 100;
};

TEST_F(StateSweepTest, RemovesArtifactsWhenTheyExpire) {
  const model::Artifact week = Pack("a week");
  const model::Artifact usual = Pack("as usual");
  Run({.artifacts = {week}}, hours(7 * 24));
  Run({.artifacts = {usual}});
  EXPECT_EQ(Sweep(hours(7 * 24) - hours(1)).chunks, 0U);
  EXPECT_TRUE(CanUnpack(week));
  EXPECT_EQ(Sweep(hours(7 * 24) + hours(1)).chunks, 2U);  // its manifest and its file
  EXPECT_FALSE(CanUnpack(week));
  EXPECT_TRUE(CanUnpack(usual));
  EXPECT_EQ(Sweep(hours(30 * 24) + hours(1)).chunks, 2U);
  EXPECT_FALSE(CanUnpack(usual));
}

TEST_F(StateSweepTest, KeepsWhatAnotherRunStillWants) {
  const model::Artifact shared = Pack("the same");
  Run({.artifacts = {shared}}, hours(48));
  Run({.artifacts = {shared}}, hours(96));
  EXPECT_EQ(Sweep(hours(72)).chunks, 0U);
  EXPECT_TRUE(CanUnpack(shared));
  EXPECT_EQ(Sweep(hours(97)).chunks, 2U);
}

TEST_F(StateSweepTest, NeverTakesFromARunThatIsOpen) {
  const model::Artifact artifact = Pack("of an open run");
  Run({.artifacts = {artifact}}, hours(48), /*is_open=*/true);
  EXPECT_EQ(Sweep(hours(10'000)).chunks, 0U);
  EXPECT_TRUE(CanUnpack(artifact));
}

TEST_F(StateSweepTest, KeepsDocumentsAsLongAsArtifacts) {
  model::JobResult result;
  const base::Digest output = *store_->Put("\"large\"");
  result.spilled = {{"large", output, 7}};
  const base::Digest tests = *store_->Put(agents::reports::EncodeTestDocument({}));
  const base::Digest annotations = *store_->Put(agents::reports::EncodeAnnotations({}));
  result.remarks.tests.emplace().document = tests;
  result.remarks.annotations.emplace().document = annotations;
  SetTimes();
  Run(std::move(result));
  Sweep(hours(48));
  EXPECT_TRUE(store_->Get(tests).ok());
  EXPECT_TRUE(store_->Get(annotations).ok());
  EXPECT_TRUE(store_->Get(output).ok());
  Sweep(hours(31 * 24));
  EXPECT_FALSE(store_->Get(tests).ok());
  EXPECT_FALSE(store_->Get(annotations).ok());
  EXPECT_FALSE(store_->Get(output).ok());
}

TEST_F(StateSweepTest, LeavesYoungChunksAlone) {
  const model::Artifact orphan = Pack("nobody refers to it yet");
  EXPECT_EQ(Sweep(hours(23)).chunks, 0U);
  EXPECT_TRUE(CanUnpack(orphan));
  EXPECT_EQ(Sweep(hours(25)).chunks, 2U);
}

TEST_F(StateSweepTest, KeepsWhatCachesHoldUntilNobodyUsedThemForLong) {
  model::Artifact deps = Pack("deps");
  deps.name = "deps-1";
  const auto caches = OpenCaches(state_->caches(), [] { return kStart; });
  ASSERT_TRUE(caches.ok());
  ASSERT_EQ((*caches)->Add("scope", deps), base::OkStatus());
  EXPECT_EQ(Sweep(hours(29 * 24)).chunks, 0U);
  EXPECT_TRUE(CanUnpack(deps));
  const SweepOutcome outcome = Sweep(hours(31 * 24));
  EXPECT_EQ(outcome.caches, 1U);
  EXPECT_EQ(outcome.chunks, 2U);
}

TEST_F(StateSweepTest, WorksOnceInAWhile) {
  EXPECT_TRUE(Sweep(hours(1)).is_due);
  EXPECT_FALSE(Sweep(hours(1) + std::chrono::minutes(59)).is_due);
  EXPECT_TRUE(Sweep(hours(2)).is_due);
  EXPECT_TRUE(Sweep(hours(1)).is_due) << "the clock was set back";
}

TEST_F(StateSweepTest, TakesNothingWhileARunCannotBeRead) {
  const model::Artifact orphan = Pack("orphan");
  const model::RunId run = Run({});
  Damage(run);
  EXPECT_FALSE(SweepState(*state_, kStart + hours(48)).ok());
  EXPECT_TRUE(CanUnpack(orphan));
}

TEST_F(StateSweepTest, ReadsTheLogOfARunThatIsOverOnce) {
  const model::Artifact artifact = Pack("a");
  const model::RunId run = Run({.artifacts = {artifact}});
  Sweep(hours(48));
  Damage(run);
  EXPECT_EQ(Sweep(hours(50)).chunks, 0U);
  EXPECT_TRUE(CanUnpack(artifact));
  EXPECT_EQ(Sweep(hours(31 * 24)).chunks, 2U);
}

}  // namespace
}  // namespace apps
