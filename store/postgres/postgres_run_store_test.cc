// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_run_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/postgres/schema.h"
#include "store/postgres/test_database.h"
#include "tests/support/cut_proxy.h"
#include "tests/support/faulty_run_store.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/run_store_conformance.h"

namespace tests::support {
namespace {

class PostgresScene : public StoreScene {
 public:
  std::unique_ptr<engine::ports::RunStore> Open() override {
    auto store = store::postgres::OpenPostgresRunStore({.conninfo = database_});
    CHECK_MSG(store.ok(), store.status().ToString().c_str());
    return *std::move(store);
  }

 private:
  std::string database_ = SharedCluster().NewDatabase();
};

INSTANTIATE_TEST_SUITE_P(Postgres, RunStoreConformance,
                         testing::Values([] { return std::make_unique<PostgresScene>(); }));

}  // namespace
}  // namespace tests::support

namespace store::postgres::testing {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using namespace std::string_literals;
using base::Status;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::support::Cut;
using tests::support::CutProxy;
using tests::support::FactsOfPlainJob;
using tests::support::SharedCluster;

constexpr model::RunId kRun(0x18c2f00000001234);
constexpr std::uint64_t kDayOfIds = std::uint64_t{86'400'000} << 20;
constexpr base::Instant kAt = base::InstantFromMicros(1'700'000'000'000'000);

std::string TextOf(const Status& status) {
  return std::string(base::Message(status));
}

// A store on its own database, and batches of plain jobs to write to it.
class PostgresRunStoreTest : public ::testing::Test {
 protected:
  void Open(RunStoreOptions options = {}) {
    if (options.conninfo.empty()) {
      options.conninfo = database_.conninfo();
    }
    auto store = OpenPostgresRunStore(options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    const auto epoch = store_->AcquireShard();
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    epoch_ = *epoch;
    const auto recovered = store_->Recover();
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    seq_ = recovered->seq;
  }
  ports::CommitBatch Batch(std::vector<ports::FactRow> rows) {
    ports::CommitBatch batch;
    batch.epoch = epoch_;
    batch.seq_before = batch.seq_after = seq_;
    for (const ports::FactRow& row : rows) {
      batch.seq_after += row.facts.size();
    }
    batch.rows = std::move(rows);
    return batch;
  }
  Status Commit(const ports::CommitBatch& batch) {
    Status status = store_->Commit(batch);
    seq_ = status.ok() ? batch.seq_after : seq_;
    return status;
  }
  Status CommitJob(std::uint32_t job, model::RunId run = kRun) {
    return Commit(Batch({{run, FactsOfPlainJob(run, model::JobIndex(job), kAt)}}));
  }

  TestDatabase database_;
  std::unique_ptr<ports::RunStore> store_;
  model::Epoch epoch_;
  std::uint64_t seq_ = 0;
};

TEST_F(PostgresRunStoreTest, OneBatchIsOneStatement) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  const std::uint64_t before = store_->counters().statements;
  ASSERT_TRUE(CommitJob(1).ok());
  EXPECT_EQ(store_->counters().statements, before + 1);
  EXPECT_EQ(store_->counters().commits, 2U);
  EXPECT_GT(store_->counters().row_bytes, 50U);
}

TEST_F(PostgresRunStoreTest, TwoOwnersThatAlternateEachWriteUnderTheirOwnEpoch) {
  std::unique_ptr<ports::RunStore> other;
  for (std::uint32_t i = 0; i < 6; ++i) {
    Open();  // a new owner; `other` is the one before
    if (other != nullptr) {
      ports::CommitBatch late = Batch({{kRun, FactsOfPlainJob(kRun, model::JobIndex(99), kAt)}});
      late.epoch = model::Epoch(epoch_.value() - 1);
      EXPECT_EQ(other->Commit(late).code(), absl::StatusCode::kAborted);
    }
    ASSERT_TRUE(CommitJob(i).ok());
    other = std::move(store_);
  }
  EXPECT_EQ(database_.Number("SELECT count(DISTINCT epoch) FROM dayfly.log"), 6);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM dayfly.job_history WHERE job = 99"), 0);
}

TEST_F(PostgresRunStoreTest, ALeasedEpochIsConfirmedAndNotRaised) {
  Open();
  const RunStoreOptions leased = {.conninfo = database_.conninfo(), .leased = epoch_};
  Open(leased);
  EXPECT_EQ(epoch_, *leased.leased);
  ASSERT_TRUE(CommitJob(0).ok());
  ASSERT_TRUE((*OpenPostgresRunStore({.conninfo = database_.conninfo()}))->AcquireShard().ok());
  const auto store = OpenPostgresRunStore(leased);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->AcquireShard().status().code(), absl::StatusCode::kAborted);
}

TEST_F(PostgresRunStoreTest, TwoConnectionsOfOneEpochDoNotBothWrite) {
  Open();
  const RunStoreOptions leased = {.conninfo = database_.conninfo(), .leased = epoch_};
  const std::unique_ptr<ports::RunStore> first = std::move(store_);
  Open(leased);
  const Status status = first->Commit(Batch({{kRun, {{kAt, model::RunClosed{kRun}}}}}));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(TextOf(status), HasSubstr("another connection"));
  EXPECT_TRUE(CommitJob(0).ok());
}

// What a network may do: lose the client, and bring its last request to the server afterwards.
TEST_F(PostgresRunStoreTest, ACommitThatArrivesAfterItsConnectionBrokeChangesNothing) {
  CutProxy proxy(SharedCluster().socket());
  Open({.conninfo = database_.conninfo() + " host=" + proxy.folder()});
  ASSERT_TRUE(CommitJob(0).ok());
  proxy.CutNext(Cut::kRequestLate);
  EXPECT_EQ(CommitJob(1).code(), absl::StatusCode::kUnavailable);
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->seq, seq_);
  ASSERT_TRUE(proxy.DeliverLate());
  EXPECT_EQ(store_->Recover()->seq, seq_) << "what was recovered from stays true";
  EXPECT_TRUE(CommitJob(1).ok());
}

TEST_F(PostgresRunStoreTest, ACommitThatHappenedUnheardIsRecovered) {
  CutProxy proxy(SharedCluster().socket());
  Open({.conninfo = database_.conninfo() + " host=" + proxy.folder()});
  ASSERT_TRUE(CommitJob(0).ok());
  proxy.CutNext(Cut::kAnswerLost);
  EXPECT_EQ(CommitJob(1).code(), absl::StatusCode::kUnavailable);
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->seq, 14U);
}

TEST_F(PostgresRunStoreTest, TextThatIsSqlAndBytesThatAreNoTextStayWhatTheyAre) {
  const std::string nasty = "'); DROP TABLE dayfly.log; --\\x00\"$1{},NULL\0\xff"s;
  auto context = std::make_shared<model::RunContext>();
  context->branch = context->source = context->commit = context->event = context->by = nasty;
  context->pipeline_file = nasty;
  model::RunAccepted accepted;
  accepted.run = kRun;
  accepted.context = context;
  accepted.idempotency_key = nasty;
  model::RunEnded ended;
  ended.run = kRun;
  ended.reason.subject = nasty;
  auto plan = std::make_shared<model::Plan>(tests::support::PlainPlan(1));
  plan->name = nasty;
  accepted.plan = codec::DigestOf(*plan);
  Open();
  ports::CommitBatch batch = Batch({{kRun, {{kAt, accepted}, {kAt, ended}}}});
  batch.plans = {{accepted.plan, plan}};
  const Status status = Commit(batch);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(store_->Recover()->tail.at(0).facts == batch.rows[0].facts);
  EXPECT_EQ((*store_->LoadPlan(accepted.plan))->name, nasty);
  EXPECT_EQ(database_.Number("SELECT length(r.branch) FROM dayfly.run_history r, dayfly.plan p,"
                             " dayfly.idempotency_key k"
                             " WHERE r.branch = p.name AND k.key = p.name"),
            static_cast<std::int64_t>(nasty.size()));
}

TEST_F(PostgresRunStoreTest, EachDayHasItsPartitionsAndSoHasTheNext) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  ASSERT_TRUE(CommitJob(0, model::RunId(kRun.value() + 3 * kDayOfIds)).ok());
  EXPECT_THAT(database_.Texts("SELECT relname FROM pg_class JOIN pg_inherits ON oid = inhrelid"
                              " WHERE inhparent = 'dayfly.log'::regclass ORDER BY 1"),
              ElementsAre("log_20231203", "log_20231204", "log_20231206", "log_20231207"));
  EXPECT_EQ(database_.Number("SELECT count(DISTINCT tableoid) FROM dayfly.job_history"), 2);
}

// One batch holds facts of runs of both sides of midnight.
TEST_F(PostgresRunStoreTest, ABatchMaySpanMidnight) {
  const std::uint64_t midnight = kRun.value() / kDayOfIds * kDayOfIds + kDayOfIds;
  const model::RunId before(midnight - 1);
  const model::RunId after(midnight);
  Open();
  const ports::CommitBatch batch =
      Batch({{before, FactsOfPlainJob(before, model::JobIndex(0), kAt)},
             {after, FactsOfPlainJob(after, model::JobIndex(0), kAt)},
             {before, FactsOfPlainJob(before, model::JobIndex(1), kAt)}});
  ASSERT_TRUE(Commit(batch).ok());
  const auto recovered = store_->Recover();
  ASSERT_EQ(recovered->tail.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(recovered->tail[i].run, batch.rows[i].run) << "in the order of the log";
  }
  EXPECT_EQ(database_.Number("SELECT max(day) - min(day) FROM dayfly.log"), 1);
}

TEST_F(PostgresRunStoreTest, APartitionThatSomebodyDroppedIsMadeAgain) {
  Open();
  ASSERT_TRUE(CommitJob(0, model::RunId(kRun.value() - 9 * kDayOfIds)).ok());
  ASSERT_TRUE(CommitJob(0).ok());
  database_.Sql("DROP TABLE dayfly.job_history_20231203");
  EXPECT_EQ(CommitJob(1).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(CommitJob(1).ok());
}

TEST_F(PostgresRunStoreTest, AKeyKeepsItsFirstRun) {
  Open();
  for (std::uint64_t i = 0; i < 2; ++i) {
    model::RunAccepted accepted;
    accepted.run = model::RunId(kRun.value() + i);
    accepted.idempotency_key = "k";
    ASSERT_TRUE(Commit(Batch({{accepted.run, {{kAt, accepted}}}})).ok());
  }
  EXPECT_EQ(database_.Number("SELECT run FROM dayfly.idempotency_key"),
            static_cast<std::int64_t>(kRun.value()));
}

TEST_F(PostgresRunStoreTest, AFullDiskIsResourceExhaustedAndLosesNothing) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  database_.Sql(
      "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;"
      "CREATE TRIGGER full_disk BEFORE INSERT ON dayfly.job_history FOR EACH ROW"
      " EXECUTE FUNCTION full_disk()");
  EXPECT_EQ(CommitJob(1).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store_->Recover()->seq, seq_);
  database_.Sql("DROP TRIGGER full_disk ON dayfly.job_history");
  EXPECT_TRUE(CommitJob(1).ok());
}

TEST_F(PostgresRunStoreTest, FaultWrappersRunOnIt) {
  Open();
  tests::support::FaultyRunStore faulty(
      *store_, [](const ports::CommitBatch&) { return tests::support::UnknownOutcome(); });
  const ports::CommitBatch batch = Batch({{kRun, FactsOfPlainJob(kRun, model::JobIndex(0), kAt)}});
  EXPECT_EQ(faulty.Commit(batch).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(faulty.Recover()->seq, 7U);
}

TEST_F(PostgresRunStoreTest, ADamagedOrMissingRowIsNamed) {
  Open();
  for (std::uint32_t job = 0; job < 3; ++job) {
    ASSERT_TRUE(CommitJob(job).ok());
  }
  database_.Sql(
      "UPDATE dayfly.log SET bytes = substr(bytes, 1, length(bytes) - 1) || '\\x7f'"
      " WHERE seq = 14");
  EXPECT_EQ(store_->Recover().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(TextOf(store_->Recover().status()), HasSubstr("row 14"));
  database_.Sql("DELETE FROM dayfly.log WHERE seq = 14");
  EXPECT_EQ(store_->Recover().status().code(), absl::StatusCode::kDataLoss);
  database_.Sql("DELETE FROM dayfly.log WHERE seq = 21");
  EXPECT_EQ(store_->Recover().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(PostgresRunStoreTest, ADamagedSnapshotCostsOnlyTime) {
  Open();
  ASSERT_TRUE(CommitJob(0).ok());
  for (std::uint32_t i = 1; i < 5; ++i) {
    ports::CommitBatch batch = Batch({});
    batch.snapshot = std::make_shared<const model::Snapshot>(model::Snapshot{seq_, {}});
    ASSERT_TRUE(Commit(batch).ok());
    ASSERT_TRUE(CommitJob(i).ok());
  }
  EXPECT_EQ(database_.Number("SELECT count(*) FROM dayfly.snapshot"), 2);
  database_.Sql(
      "UPDATE dayfly.snapshot SET bytes = '\\x01ffffffff'"
      " WHERE seq = (SELECT max(seq) FROM dayfly.snapshot)");
  const auto recovered = store_->Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  ASSERT_NE(recovered->snapshot, nullptr);
  EXPECT_EQ(recovered->snapshot->seq, 21U);
  EXPECT_EQ(recovered->seq, seq_);
}

TEST_F(PostgresRunStoreTest, APlanUnderAWrongDigestIsRefused) {
  Open();
  ports::CommitBatch batch = Batch({});
  batch.plans = {
      {base::Sha256("another"), std::make_shared<const model::Plan>(tests::support::PlainPlan(3))}};
  EXPECT_EQ(Commit(batch).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PostgresRunStoreTest, HistoryIsTheSameWhenRebuilt) {
  Open();
  base::Random random(9);
  for (std::uint32_t i = 0; i < 40; ++i) {
    const model::RunId run(kRun.value() + i * (kDayOfIds / 16));
    ports::FactRow row{run, FactsOfPlainJob(run, model::JobIndex(i), kAt)};
    // Accepted, ended, job ended, attempt ended, job queued.
    for (std::size_t kind : {0U, 2U, 7U, 13U, 7U, 24U}) {
      row.facts.push_back(tests::support::AnyFact(random, kind, run));
    }
    ASSERT_TRUE(Commit(Batch({row})).ok());
  }
  const auto all = [this] {
    return database_.Texts(
        "SELECT t FROM (SELECT 'run ' || r::text AS t FROM dayfly.run_history r"
        " UNION ALL SELECT 'job ' || j::text FROM dayfly.job_history j"
        " UNION ALL SELECT 'key ' || k::text FROM dayfly.idempotency_key k"
        " UNION ALL SELECT 'deployment ' || d::text FROM dayfly.deployment d) a ORDER BY t");
  };
  const std::vector<std::string> before = all();
  EXPECT_GE(before.size(), 40U * 5);
  database_.Sql(
      "DELETE FROM dayfly.job_history WHERE job > 3; DELETE FROM dayfly.run_history;"
      "DELETE FROM dayfly.idempotency_key");
  ASSERT_LT(all().size(), before.size());
  const Status status = ReprojectHistory({.conninfo = database_.conninfo()});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(all(), before);
}

}  // namespace
}  // namespace store::postgres::testing
