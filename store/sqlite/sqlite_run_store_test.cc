// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_run_store.h"

#include <filesystem>
#include <fstream>

#include "store/sqlite/database.h"
#include "store/sqlite/history_tables.h"
#include "tests/support/run_store_conformance.h"
#include "tests/support/temp_folder.h"

namespace tests::support {
namespace {

class SqliteScene : public StoreScene {
 public:
  std::unique_ptr<engine::ports::RunStore> Open() override {
    auto store = store::sqlite::OpenSqliteRunStore(folder_.File("facts.db"));
    CHECK_MSG(store.ok(), store.status().ToString().c_str());
    return *std::move(store);
  }

 private:
  TempFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, RunStoreConformance,
                         testing::Values([] { return std::make_unique<SqliteScene>(); }));

}  // namespace
}  // namespace tests::support

namespace store::sqlite {
namespace {

namespace fs = std::filesystem;
namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;
using testing::HasSubstr;
using tests::support::FactsOfPlainJob;
using tests::support::TempFolder;

constexpr model::RunId kRun(0x18c2f00000001234);
constexpr base::Instant kAt = base::InstantFromMicros(1'700'000'000'000'000);

std::string TextOf(const Status& status) {
  return std::string(base::Message(status));
}

// A store with its own file, and batches of plain jobs to write to it.
class SqliteRunStoreTest : public testing::Test {
 protected:
  StatusOr<std::unique_ptr<ports::RunStore>> TryOpen(const RunStoreOptions& options = {}) {
    return OpenSqliteRunStore(path_, options);
  }
  void Open(const RunStoreOptions& options = {}) {
    auto store = TryOpen(options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    const auto epoch = store_->AcquireShard();
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    epoch_ = *epoch;
    const auto recovered = store_->Recover();
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    seq_ = recovered->seq;
  }
  Status CommitJob(std::uint32_t job) {
    ports::CommitBatch batch;
    batch.epoch = epoch_;
    batch.rows = {{kRun, FactsOfPlainJob(kRun, model::JobIndex(job), kAt)}};
    batch.seq_before = seq_;
    batch.seq_after = seq_ + batch.rows[0].facts.size();
    Status status = store_->Commit(batch);
    seq_ = status.ok() ? batch.seq_after : seq_;
    return status;
  }
  void Corrupt(const std::string& file, std::uint64_t offset, std::string_view bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void Sql(const char* sql) {
    auto db = Database::Open(path_, {});
    ASSERT_TRUE(db.ok()) << db.status();
    const Status status = (*db)->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }

  TempFolder folder_;
  std::string path_ = folder_.File("facts.db");
  std::unique_ptr<ports::RunStore> store_;
  model::Epoch epoch_;
  std::uint64_t seq_ = 0;
};

TEST_F(SqliteRunStoreTest, OneBatchIsOneFlush) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  const std::uint64_t before = store_->counters().flushes;
  ASSERT_TRUE(CommitJob(1).ok());
  EXPECT_EQ(store_->counters().flushes, before + 1);
  EXPECT_EQ(store_->counters().commits, 2U);
  EXPECT_GT(store_->counters().row_bytes, 50U);
  EXPECT_GT(store_->counters().written_bytes, store_->counters().row_bytes);
}

TEST_F(SqliteRunStoreTest, ANewFileCostsFewFlushes) {
  Open();
  EXPECT_LE(store_->counters().flushes, 3U);
}

// Each connection grows the log ahead of itself, and must not overwrite what another put there.
TEST_F(SqliteRunStoreTest, OwnersThatAlternateKeepEachOthersRows) {
  std::vector<std::unique_ptr<ports::RunStore>> stores;
  for (int i = 0; i < 2; ++i) {
    auto store = TryOpen();
    ASSERT_TRUE(store.ok()) << store.status();
    stores.push_back(*std::move(store));
  }
  for (std::uint32_t job = 0; job < 60; ++job) {
    store_ = std::move(stores[job % 2]);
    epoch_ = *store_->AcquireShard();
    ASSERT_TRUE(CommitJob(job).ok());
    stores[job % 2] = std::move(store_);
  }
  Open();
  EXPECT_EQ(seq_, 60U * 7);
}

TEST_F(SqliteRunStoreTest, TheLogOfCommitsStaysWhenItIsClosed) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  store_.reset();
  EXPECT_GT(fs::file_size(path_ + "-wal"), 0U);
  Open();
  EXPECT_EQ(seq_, 7U);
}

// A process that is killed leaves the files as they are at that moment.
TEST_F(SqliteRunStoreTest, WhatACrashLeavesIsWhatWasCommitted) {
  Open();
  TempFolder crashed;
  for (std::uint32_t job = 0; job < 5; ++job) {
    ASSERT_TRUE(CommitJob(job).ok());
    for (const char* suffix : {"", "-wal"}) {
      fs::copy_file(path_ + suffix, crashed.File("facts.db") + suffix,
                    fs::copy_options::overwrite_existing);
    }
    const auto copy = OpenSqliteRunStore(crashed.File("facts.db"));
    ASSERT_TRUE(copy.ok()) << copy.status();
    EXPECT_EQ((*copy)->Recover()->seq, seq_) << "after job " << job;
  }
}

// A power cut may tear the end of the log off at any byte.
TEST_F(SqliteRunStoreTest, ATornLogEndsAtACommit) {
  Open();
  for (std::uint32_t job = 0; job < 8; ++job) {
    ASSERT_TRUE(CommitJob(job).ok());
  }
  const std::string copy = folder_.File("torn.db");
  const std::uint64_t size = fs::file_size(path_ + "-wal");
  std::uint64_t longest = 0;
  for (std::uint64_t cut = 0; cut <= size; cut += 1371) {
    fs::copy_file(path_, copy, fs::copy_options::overwrite_existing);
    fs::copy_file(path_ + "-wal", copy + "-wal", fs::copy_options::overwrite_existing);
    fs::remove(copy + "-shm");
    fs::resize_file(copy + "-wal", size - cut);
    const auto torn = OpenSqliteRunStore(copy);
    ASSERT_TRUE(torn.ok()) << torn.status();
    const auto recovered = (*torn)->Recover();
    ASSERT_TRUE(recovered.ok()) << recovered.status() << " cut " << cut;
    EXPECT_EQ(recovered->seq % 7, 0U) << "whole commits only, cut " << cut;
    longest = std::max(longest, recovered->seq);
  }
  EXPECT_EQ(longest, seq_);
}

TEST_F(SqliteRunStoreTest, AFullDiskIsResourceExhaustedAndLosesNothing) {
  Open({.checkpoint_pages = 0, .max_pages = 16});
  std::uint32_t job = 0;
  Status status = CommitJob(job);
  while (status.ok() && job < 10'000) {
    status = CommitJob(++job);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(TextOf(status), HasSubstr("facts.db"));
  EXPECT_EQ(store_->Recover()->seq, seq_);
  // Room again: the same store goes on where it was.
  store_.reset();
  Open();
  EXPECT_EQ(seq_, std::uint64_t{job} * 7);
  EXPECT_TRUE(CommitJob(job).ok());
}

TEST_F(SqliteRunStoreTest, ANewerVersionIsRefusedAndNamed) {
  Open();
  store_.reset();
  Sql("PRAGMA user_version = 7");
  const auto store = TryOpen();
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(TextOf(store.status()), HasSubstr("version 7"));
  EXPECT_THAT(TextOf(store.status()), HasSubstr(path_));
}

TEST_F(SqliteRunStoreTest, FactsOfANewerVersionAreRefusedAndNamed) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  Sql("UPDATE log SET bytes = x'0900000000'");
  const Status status = store_->Recover().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(TextOf(status), HasSubstr("version 9"));
}

TEST_F(SqliteRunStoreTest, SomebodyElsesDatabaseIsLeftAlone) {
  Sql("CREATE TABLE theirs(x)");
  const auto store = TryOpen();
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(TextOf(store.status()), HasSubstr(path_));
}

TEST_F(SqliteRunStoreTest, WhatIsNoDatabaseIsDataLoss) {
  std::ofstream(path_) << "this is a text of some length, and certainly no database at all";
  EXPECT_EQ(TryOpen().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteRunStoreTest, ADamagedRowIsNamed) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  ASSERT_TRUE(CommitJob(1).ok());
  Sql("UPDATE log SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'7f' AS BLOB) "
      "WHERE seq = 14");
  const Status status = store_->Recover().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(TextOf(status), HasSubstr("row 14"));
}

TEST_F(SqliteRunStoreTest, AMissingRowIsNoticed) {
  Open();
  for (std::uint32_t job = 0; job < 3; ++job) {
    ASSERT_TRUE(CommitJob(job).ok());
  }
  Sql("DELETE FROM log WHERE seq = 14");
  EXPECT_EQ(store_->Recover().status().code(), absl::StatusCode::kDataLoss);
  Sql("DELETE FROM log WHERE seq = 21");
  EXPECT_EQ(store_->Recover().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteRunStoreTest, ADamagedSnapshotCostsOnlyTime) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  for (int i = 0; i < 2; ++i) {
    ports::CommitBatch batch;
    batch.epoch = epoch_;
    batch.seq_before = batch.seq_after = seq_;
    batch.snapshot = std::make_shared<const model::Snapshot>(model::Snapshot{seq_, {}});
    ASSERT_TRUE(store_->Commit(batch).ok());
    ASSERT_TRUE(CommitJob(1).ok());
  }
  Sql("UPDATE snapshot SET bytes = x'01ffffffff' WHERE seq = (SELECT max(seq) FROM snapshot)");
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  ASSERT_NE(recovered->snapshot, nullptr);
  EXPECT_EQ(recovered->snapshot->seq, 7U);
  EXPECT_EQ(recovered->seq, seq_);
}

TEST_F(SqliteRunStoreTest, ADamagedPageIsAnError) {
  Open();
  for (std::uint32_t job = 0; job < 200; ++job) {
    ASSERT_TRUE(CommitJob(job).ok());
  }
  Sql("PRAGMA wal_checkpoint(TRUNCATE)");
  store_.reset();
  for (std::uint64_t page = 2; page < fs::file_size(path_) / 4096; ++page) {
    Corrupt(path_, page * 4096, std::string(4096, '\x5a'));
  }
  const auto store = TryOpen();
  const Status status = store.ok() ? (*store)->Recover().status() : store.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST_F(SqliteRunStoreTest, APlanWhoseBytesChangedIsDataLoss) {
  Open();
  auto plan = std::make_shared<const model::Plan>(tests::support::PlainPlan(3));
  const model::PlanDigest digest = codec::DigestOf(*plan);
  ports::CommitBatch batch;
  batch.epoch = epoch_;
  batch.plans = {{digest, plan}};
  ASSERT_TRUE(store_->Commit(batch).ok());
  Sql("UPDATE plan SET bytes = CAST(bytes || x'00' AS BLOB)");
  EXPECT_EQ(store_->LoadPlan(digest).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteRunStoreTest, APlanUnderAWrongDigestIsRefused) {
  Open();
  ports::CommitBatch batch;
  batch.epoch = epoch_;
  batch.plans = {
      {base::Sha256("another"), std::make_shared<const model::Plan>(tests::support::PlainPlan(3))}};
  EXPECT_EQ(store_->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SqliteRunStoreTest, AReaderSeesWhatAnOwnerCommitsAndChangesNothing) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  auto reader = TryOpen({.read_only = true});
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Recover()->seq, 7U);
  ASSERT_TRUE(CommitJob(1).ok());
  EXPECT_EQ((*reader)->Recover()->seq, 14U);
  EXPECT_EQ((*reader)->AcquireShard().status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ((*reader)->Commit({}).code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(SqliteRunStoreTest, AReaderFindsNothingWhereNothingIs) {
  EXPECT_EQ(TryOpen({.read_only = true}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(SqliteRunStoreTest, AFolderThatDoesNotExistIsNotFound) {
  path_ = folder_.File("none/facts.db");
  const auto store = TryOpen();
  EXPECT_EQ(store.status().code(), absl::StatusCode::kNotFound) << store.status();
  EXPECT_THAT(TextOf(store.status()), HasSubstr(path_));
}

TEST_F(SqliteRunStoreTest, ALockThatStaysIsUnavailable) {
  Open({.busy_timeout_ms = 1});
  auto other = Database::Open(path_, {});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*other)->Execute("BEGIN IMMEDIATE").ok());
  EXPECT_EQ(CommitJob(0).code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  EXPECT_TRUE(CommitJob(0).ok());
}

TEST_F(SqliteRunStoreTest, HistoryIsTheSameWhenRebuilt) {
  Open();
  for (std::uint32_t job = 0; job < 20; ++job) {
    ASSERT_TRUE(CommitJob(job).ok());
  }
  base::Random random(9);
  ports::CommitBatch batch;
  batch.epoch = epoch_;
  batch.rows = {{kRun, {}}};
  for (std::size_t kind : {0U, 2U, 7U, 13U, 7U}) {  // accepted, ended, job ended, attempt ended
    batch.rows[0].facts.push_back(tests::support::AnyFact(random, kind, kRun));
  }
  batch.seq_before = seq_;
  batch.seq_after = seq_ + batch.rows[0].facts.size();
  ASSERT_TRUE(store_->Commit(batch).ok());
  auto db = Database::Open(path_, {});
  ASSERT_TRUE(db.ok());
  const auto before = ReadHistory(**db);
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ(before->jobs.size(), 22U);
  EXPECT_EQ(before->runs.size(), 2U);
  Sql("DELETE FROM job_history WHERE job > 3");
  const Status status = ReprojectHistory(path_);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(*ReadHistory(**db) == *before);
}

}  // namespace
}  // namespace store::sqlite
