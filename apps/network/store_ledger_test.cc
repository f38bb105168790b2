// SPDX-License-Identifier: Apache-2.0
#include "apps/network/store_ledger.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/network/store_sweep.h"
#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"
#include "store/codec/plan_codec.h"
#include "store/sqlite/sqlite_run_store.h"
#include "tests/support/temp_folder.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
namespace ports = engine::ports;
using std::chrono::hours;

constexpr base::Instant kStart = base::InstantFromMicros(1'700'000'000'000'000);

class StoreLedgerTest : public testing::Test {
 protected:
  StoreLedgerTest() {
    facts_ = *store::sqlite::OpenSqliteRunStore(folder_.File("facts.db"));
    epoch_ = *facts_->AcquireShard();
    chunks_ = *store::artifacts::LocalStore::Open(folder_.File("chunks"));
    caches_ = *store::caches::FolderCaches::Open(folder_.File("caches"),
                                                 {.now = [this] { return now_; }});
    plan_ = std::make_shared<model::Plan>();
    plan_->specs.emplace_back().name = "build";
    plan_->specs[0].rare = std::make_unique<model::RareJobSettings>();
    plan_->specs[0].rare->artifacts_expire = hours(48);
    plan_->jobs.push_back({.spec = model::SpecIndex(0), .cell = {}});
    digest_ = store::codec::DigestOf(*plan_);
  }

  model::Artifact Pack(const std::string& text) {
    fs::create_directories(folder_.File("ws"));
    std::ofstream(folder_.File("ws/file")) << text;
    store::artifacts::Archive archive(*chunks_);
    auto artifact =
        archive.Pack({.root = folder_.File("ws"), .name = "bin", .paths = {"file"}}, {});
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    for (const auto& entry : fs::recursive_directory_iterator(folder_.File("chunks"))) {
      const timespec time{.tv_sec = base::ToMicros(kStart) / 1'000'000, .tv_nsec = 0};
      const timespec times[2] = {time, time};
      utimensat(AT_FDCWD, entry.path().c_str(), times, 0);
    }
    return *artifact;
  }
  bool IsThere(const model::Artifact& artifact) { return chunks_->Get(artifact.manifest).ok(); }

  void Commit(model::RunId run, std::vector<model::FactBody> bodies) {
    ports::FactRow row{.run = run, .facts = {}};
    for (model::FactBody& body : bodies) {
      row.facts.push_back({kStart, std::move(body)});
    }
    const std::uint64_t after = seq_ + row.facts.size();
    EXPECT_EQ(facts_->Commit({.epoch = epoch_,
                              .seq_before = seq_,
                              .seq_after = after,
                              .rows = {std::move(row)},
                              .plans = {{digest_, plan_}},
                              .snapshot = nullptr}),
              base::OkStatus());
    seq_ = after;
  }
  model::RunAccepted Accepted(model::RunId run) const {
    model::RunAccepted accepted;
    accepted.run = run;
    accepted.plan = digest_;
    accepted.context = std::make_shared<model::RunContext>();
    accepted.ranks = {1};
    return accepted;
  }
  static model::JobEnded Ended(model::RunId run, const model::Artifact& artifact) {
    model::JobResult result{.status = model::Status::kSucceeded, .artifacts = {artifact}};
    return {run, model::JobIndex(0), std::make_shared<const model::JobResult>(std::move(result))};
  }
  static model::RunEnded Over(model::RunId run) { return {.run = run, .reason = {}}; }

  std::uint64_t Sweep(StoreLedger& ledger, base::Duration after) {
    now_ = kStart + after;
    EXPECT_EQ(ledger.CatchUp(*facts_), base::OkStatus());
    const auto swept = SweepStore(ledger, *caches_, *chunks_, now_, hours(24));
    EXPECT_TRUE(swept.ok()) << swept.status();
    return swept.ok() ? swept->removed : 0;
  }

  tests::support::TempFolder folder_;
  base::Instant now_ = kStart;
  std::unique_ptr<ports::RunStore> facts_;
  model::Epoch epoch_{};
  std::uint64_t seq_ = 0;
  std::unique_ptr<store::artifacts::LocalStore> chunks_;
  std::unique_ptr<store::caches::FolderCaches> caches_;
  std::shared_ptr<model::Plan> plan_;
  model::PlanDigest digest_;
};

TEST_F(StoreLedgerTest, KeepsWhatIsOpenAndWhatHasNotExpired) {
  const model::Artifact open = Pack("open");
  const model::Artifact over = Pack("over");
  const model::RunId first(1);
  const model::RunId second(2);
  Commit(first, {Accepted(first), Ended(first, open)});
  Commit(second, {Accepted(second), Ended(second, over), Over(second)});
  StoreLedger ledger;
  EXPECT_EQ(Sweep(ledger, hours(47)), 0U);
  EXPECT_EQ(Sweep(ledger, hours(49)), 2U);
  EXPECT_TRUE(IsThere(open));
  EXPECT_FALSE(IsThere(over));
  Commit(first, {Over(first)});
  EXPECT_EQ(Sweep(ledger, hours(50)), 2U);
  EXPECT_FALSE(IsThere(open));
}

TEST_F(StoreLedgerTest, KeepsWhatStepsSaidOfAJobWithoutArtifacts) {
  const model::Artifact chunks = Pack("any");
  const model::RunId run(1);
  model::JobResult result{.status = model::Status::kFailed};
  result.remarks.annotations.emplace().document = chunks.manifest;
  const model::JobEnded ended{run, model::JobIndex(0),
                              std::make_shared<const model::JobResult>(std::move(result))};
  Commit(run, {Accepted(run), ended, Over(run)});
  StoreLedger ledger;
  EXPECT_EQ(Sweep(ledger, hours(47)), 1U) << "a document names no other chunk";
  EXPECT_TRUE(IsThere(chunks));
  EXPECT_EQ(Sweep(ledger, hours(49)), 1U);
  EXPECT_FALSE(IsThere(chunks));
}

TEST_F(StoreLedgerTest, KeepsLargeOutputsOfAJobWithoutArtifacts) {
  const model::Artifact chunks = Pack("any");
  const model::RunId run(1);
  model::JobResult result{.status = model::Status::kSucceeded};
  result.spilled = {{"large", chunks.manifest, 70'000}};
  Commit(run, {Accepted(run),
               model::JobEnded{run, model::JobIndex(0),
                               std::make_shared<const model::JobResult>(std::move(result))},
               Over(run)});
  StoreLedger ledger;
  EXPECT_EQ(Sweep(ledger, hours(47)), 1U) << "an output names no other chunk";
  EXPECT_TRUE(IsThere(chunks));
  EXPECT_EQ(Sweep(ledger, hours(49)), 1U);
}

TEST_F(StoreLedgerTest, KeepsWhatARetryTookOver) {
  const model::Artifact artifact = Pack("carried");
  const model::RunId first(1);
  const model::RunId second(2);
  Commit(first, {Accepted(first), Ended(first, artifact), Over(first)});
  model::RunAccepted retry = Accepted(second);
  retry.carried = {
      {model::JobIndex(0), {.status = model::Status::kSucceeded, .artifacts = {artifact}}}};
  Commit(second, {retry});
  StoreLedger ledger;
  EXPECT_EQ(Sweep(ledger, hours(1000)), 0U);
  EXPECT_TRUE(IsThere(artifact));
}

TEST_F(StoreLedgerTest, KeepsAnUploadedTreeForARetry) {
  const model::Artifact tree = Pack("source");
  const model::RunId run(1);
  model::RunAccepted accepted = Accepted(run);
  accepted.context =
      std::make_shared<model::RunContext>(model::RunContext{.tree = base::ToHex(tree.manifest)});
  Commit(run, {accepted});
  StoreLedger ledger;
  EXPECT_EQ(Sweep(ledger, hours(31 * 24)), 0U) << "it is open";
  Commit(run, {Over(run)});
  EXPECT_EQ(Sweep(ledger, hours(29 * 24)), 0U);
  EXPECT_TRUE(IsThere(tree));
  EXPECT_EQ(Sweep(ledger, hours(31 * 24)), 2U);
}

TEST_F(StoreLedgerTest, GoesOnWhereAnotherOwnerStopped) {
  const model::Artifact early = Pack("early");
  Pack("late");
  const model::RunId run(1);
  Commit(run, {Accepted(run), Ended(run, early)});
  {
    StoreLedger ledger;
    EXPECT_EQ(Sweep(ledger, hours(25)), 2U) << "nobody had referred to the second one yet";
    ASSERT_EQ(ledger.Save(folder_.File("ledger")), base::OkStatus());
  }
  const model::Artifact late = Pack("late");
  Commit(run, {Ended(run, late)});
  StoreLedger next;
  next.Load(folder_.File("ledger"));
  EXPECT_EQ(next.read(), 2U);
  EXPECT_EQ(Sweep(next, hours(25)), 0U);
  EXPECT_EQ(next.read(), 3U);
  EXPECT_TRUE(IsThere(early));
  EXPECT_TRUE(IsThere(late));
}

TEST_F(StoreLedgerTest, ReadsEverythingAgainWhenItsFileIsNone) {
  const model::Artifact artifact = Pack("a");
  const model::RunId run(1);
  Commit(run, {Accepted(run), Ended(run, artifact)});
  StoreLedger good;
  ASSERT_EQ(good.CatchUp(*facts_), base::OkStatus());
  ASSERT_EQ(good.Save(folder_.File("good")), base::OkStatus());
  std::ifstream in(folder_.File("good"));
  const std::string whole{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  for (std::size_t length = 0; length + 1 < whole.size(); length += 7) {
    std::ofstream(folder_.File("cut")) << whole.substr(0, length);
    StoreLedger ledger;
    ledger.Load(folder_.File("cut"));
    EXPECT_EQ(ledger.read(), 0U) << length;
    EXPECT_EQ(Sweep(ledger, hours(1000)), 0U);
  }
  EXPECT_TRUE(IsThere(artifact));
}

TEST_F(StoreLedgerTest, KeepsWhatCachesHold) {
  model::Artifact deps = Pack("deps");
  ASSERT_EQ(caches_->Add("scope", deps), base::OkStatus());
  StoreLedger ledger;
  EXPECT_EQ(Sweep(ledger, hours(25)), 0U);
  EXPECT_TRUE(IsThere(deps));
  EXPECT_EQ(Sweep(ledger, hours(31 * 24)), 2U);
}

}  // namespace
}  // namespace apps::network
