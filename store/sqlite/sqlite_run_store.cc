// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_run_store.h"

#include <optional>
#include <utility>

#include "store/codec/fact_codec.h"
#include "store/codec/history.h"
#include "store/codec/plan_codec.h"
#include "store/sqlite/database.h"
#include "store/sqlite/history_tables.h"
#include "store/sqlite/run_store_schema.h"

namespace store::sqlite {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

class SqliteRunStore : public ports::RunStore {
 public:
  SqliteRunStore(std::unique_ptr<Database> db, const RunStoreOptions& options)
      : db_(std::move(db)), options_(options) {}

  Status Prepare();

  ports::StoreCounters counters() const override;
  StatusOr<model::Epoch> AcquireShard() override;
  StatusOr<ports::Recovered> Recover() override;
  Status Commit(const ports::CommitBatch& batch) override;
  Status ReadAfter(std::uint64_t after, const VisitRow& visit) override;
  StatusOr<model::PlanRef> LoadPlan(const model::PlanDigest& digest) override;

 private:
  Status Fence(const ports::CommitBatch& batch);
  Status WhyFenced(const ports::CommitBatch& batch);
  Status InsertRows(const ports::CommitBatch& batch);
  Status InsertPlans(const ports::CommitBatch& batch);
  Status InsertSnapshot(const ports::CommitBatch& batch);
  StatusOr<std::shared_ptr<const model::Snapshot>> NewestSnapshot();
  StatusOr<bool> MayBeDropped(std::uint64_t after, std::uint64_t to);
  Status ReadLog(std::uint64_t after, const std::function<bool(ports::FactRow)>& visit);
  Status Writable() const;

  std::unique_ptr<Database> db_;
  RunStoreOptions options_;
  Statement fence_;
  Statement insert_row_;
  Statement insert_plan_;
  Statement insert_snapshot_;
  Statement drop_snapshots_;
  std::optional<HistoryTables> history_;
  ports::StoreCounters counters_;
  std::string bytes_;  ///< reused
};

Status SqliteRunStore::Prepare() {
  RETURN_IF_ERROR(db_->Execute(fmt::format("PRAGMA cache_size=-{}", options_.cache_kib).c_str()));
  RETURN_IF_ERROR(
      PrepareSchema(*db_, options_.read_only, kRunStoreVersion, kRunStoreSchema, "run"));
  if (options_.read_only) {
    return base::OkStatus();
  }
  RETURN_IF_ERROR(db_->Execute("PRAGMA synchronous=FULL"));
  RETURN_IF_ERROR(
      db_->Execute(fmt::format("PRAGMA wal_autocheckpoint={}", options_.checkpoint_pages).c_str()));
  if (options_.max_pages > 0) {
    RETURN_IF_ERROR(
        db_->Execute(fmt::format("PRAGMA max_page_count={}", options_.max_pages).c_str()));
  }
  ASSIGN_OR_RETURN(fence_, db_->Prepare("UPDATE shard SET seq=? WHERE id=? AND epoch=? AND seq=?"));
  ASSIGN_OR_RETURN(insert_row_, db_->Prepare("INSERT INTO log VALUES (?,?,?,?,?,?)"));
  ASSIGN_OR_RETURN(insert_plan_, db_->Prepare("INSERT OR IGNORE INTO plan VALUES (?,?)"));
  ASSIGN_OR_RETURN(insert_snapshot_,
                   db_->Prepare("INSERT OR REPLACE INTO snapshot VALUES (?,?,?)"));
  // Two are kept: should the newest be damaged, the one before still spares most of the log.
  ASSIGN_OR_RETURN(
      drop_snapshots_,
      db_->Prepare("DELETE FROM snapshot WHERE shard=?1 AND seq NOT IN (SELECT seq FROM snapshot "
                   "WHERE shard=?1 ORDER BY seq DESC LIMIT 2)"));
  ASSIGN_OR_RETURN(history_, HistoryTables::Prepare(*db_));
  return base::OkStatus();
}

Status SqliteRunStore::Writable() const {
  return options_.read_only ? base::PermissionDenied("{}: opened for reading only", db_->path())
                            : base::OkStatus();
}

ports::StoreCounters SqliteRunStore::counters() const {
  ports::StoreCounters out = counters_;
  out.flushes = db_->tally().flushes();
  out.written_bytes = db_->tally().written();
  return out;
}

StatusOr<model::Epoch> SqliteRunStore::AcquireShard() {
  RETURN_IF_ERROR(Writable());
  Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
  ASSIGN_OR_RETURN(Statement raise,
                   db_->Prepare("INSERT INTO shard VALUES (?, 1, 0) ON CONFLICT (id) DO UPDATE SET "
                                "epoch = epoch + 1 RETURNING epoch"));
  raise.Bind(1, options_.shard.value());
  ASSIGN_OR_RETURN(const bool row, raise.Step());
  const model::Epoch epoch(row ? raise.Uint(0) : 0);
  raise.Reset();
  RETURN_IF_ERROR(transaction.Commit());
  return epoch;
}

Status SqliteRunStore::WhyFenced(const ports::CommitBatch& batch) {
  ASSIGN_OR_RETURN(Statement shard, db_->Prepare("SELECT epoch, seq FROM shard WHERE id=?"));
  shard.Bind(1, options_.shard.value());
  ASSIGN_OR_RETURN(const bool row, shard.Step());
  if (!row) {
    return base::Aborted("{}: the shard was never acquired", db_->path());
  }
  if (shard.Uint(0) != batch.epoch.value()) {
    return base::Aborted("{}: owned by epoch {} now, this is epoch {}", db_->path(), shard.Uint(0),
                         batch.epoch.value());
  }
  return base::Aborted("{}: the log has {} facts, the commit expects {}", db_->path(),
                       shard.Uint(1), batch.seq_before);
}

// Fails when anybody else wrote or took over since: one row must be hit.
Status SqliteRunStore::Fence(const ports::CommitBatch& batch) {
  fence_.Bind(1, batch.seq_after)
      .Bind(2, options_.shard.value())
      .Bind(3, batch.epoch.value())
      .Bind(4, batch.seq_before);
  RETURN_IF_ERROR(fence_.Run());
  return db_->changes() == 1 ? base::OkStatus() : WhyFenced(batch);
}

Status SqliteRunStore::InsertRows(const ports::CommitBatch& batch) {
  std::uint64_t seq = batch.seq_before;
  for (const ports::FactRow& row : batch.rows) {
    if (row.facts.empty()) {
      continue;
    }
    seq += row.facts.size();
    bytes_.clear();
    codec::EncodeFactsTo(row.facts, bytes_);
    insert_row_.Bind(1, seq)
        .Bind(2, options_.shard.value())
        .Bind(3, batch.epoch.value())
        .Bind(4, row.run.value())
        .Bind(5, codec::DayOf(row))
        .BindBlob(6, bytes_);
    RETURN_IF_ERROR(insert_row_.Run());
    counters_.row_bytes += bytes_.size();
    codec::HistoryRows history;
    codec::ProjectHistory(row, history);
    RETURN_IF_ERROR(history_->Insert(history));
  }
  if (seq != batch.seq_after) {
    return base::InvalidArgument("a commit of {} facts that says it has {}", seq - batch.seq_before,
                                 batch.seq_after - batch.seq_before);
  }
  return base::OkStatus();
}

Status SqliteRunStore::InsertPlans(const ports::CommitBatch& batch) {
  for (const auto& [digest, plan] : batch.plans) {
    const std::string bytes = codec::EncodePlan(*plan);
    if (codec::DigestOfBytes(bytes) != digest) {
      return base::InvalidArgument("plan {} does not have the digest {}", plan->name,
                                   ToHex(digest));
    }
    insert_plan_.BindBlob(1, codec::BytesOf(digest)).BindBlob(2, bytes);
    RETURN_IF_ERROR(insert_plan_.Run());
    counters_.plan_bytes += bytes.size();
  }
  return base::OkStatus();
}

Status SqliteRunStore::InsertSnapshot(const ports::CommitBatch& batch) {
  if (batch.snapshot == nullptr) {
    return base::OkStatus();
  }
  const std::string bytes = codec::EncodeSnapshot(*batch.snapshot);
  insert_snapshot_.Bind(1, batch.seq_after).Bind(2, options_.shard.value()).BindBlob(3, bytes);
  RETURN_IF_ERROR(insert_snapshot_.Run());
  counters_.snapshot_bytes += bytes.size();
  drop_snapshots_.Bind(1, options_.shard.value());
  return drop_snapshots_.Run();
}

Status SqliteRunStore::Commit(const ports::CommitBatch& batch) {
  RETURN_IF_ERROR(Writable());
  Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
  RETURN_IF_ERROR(Fence(batch));
  RETURN_IF_ERROR(InsertPlans(batch));
  RETURN_IF_ERROR(InsertRows(batch));
  RETURN_IF_ERROR(InsertSnapshot(batch));
  RETURN_IF_ERROR(transaction.Commit());
  ++counters_.commits;
  return base::OkStatus();
}

StatusOr<std::shared_ptr<const model::Snapshot>> SqliteRunStore::NewestSnapshot() {
  ASSIGN_OR_RETURN(Statement query,
                   db_->Prepare("SELECT seq, bytes FROM snapshot WHERE shard=? ORDER BY seq DESC"));
  query.Bind(1, options_.shard.value());
  ASSIGN_OR_RETURN(bool more, query.Step());
  while (more) {
    StatusOr<model::Snapshot> snapshot = codec::DecodeSnapshot(query.Bytes(1));
    if (snapshot.ok()) {
      return std::make_shared<const model::Snapshot>(*std::move(snapshot));
    }
    // The log holds all that a damaged snapshot held; one of a newer version is another matter.
    if (snapshot.status().code() != absl::StatusCode::kDataLoss) {
      return base::Annotate(snapshot.status(), db_->path());
    }
    ASSIGN_OR_RETURN(more, query.Step());
  }
  return std::shared_ptr<const model::Snapshot>();
}

Status SqliteRunStore::ReadLog(std::uint64_t after,
                               const std::function<bool(ports::FactRow)>& visit) {
  ASSIGN_OR_RETURN(Statement query, db_->Prepare("SELECT seq, run, bytes FROM log WHERE seq > ? "
                                                 "ORDER BY seq"));
  query.Bind(1, after);
  ASSIGN_OR_RETURN(bool more, query.Step());
  std::uint64_t seq = after;
  while (more) {
    StatusOr<std::vector<model::Fact>> facts = codec::DecodeFacts(query.Bytes(2));
    if (!facts.ok()) {
      return base::Annotate(facts.status(),
                            fmt::format("{}: row {} of the log", db_->path(), query.Uint(0)));
    }
    const std::uint64_t begin = query.Uint(0) - facts->size();
    if (begin != seq) {
      ASSIGN_OR_RETURN(const bool dropped, MayBeDropped(seq, begin));
      if (!dropped) {
        return base::DataLoss("{}: row {} of the log ends at fact {}; a row before it is missing",
                              db_->path(), query.Uint(0), seq + facts->size());
      }
    }
    seq = query.Uint(0);
    if (!visit({model::RunId(query.Uint(1)), *std::move(facts), seq})) {
      return base::OkStatus();
    }
    ASSIGN_OR_RETURN(more, query.Step());
  }
  return base::OkStatus();
}

// Rows up to the older snapshot may have gone with their day (`RunRetention`).
StatusOr<bool> SqliteRunStore::MayBeDropped(std::uint64_t after, std::uint64_t to) {
  ASSIGN_OR_RETURN(Statement query, db_->Prepare("SELECT min(seq) FROM snapshot WHERE shard=?"));
  query.Bind(1, options_.shard.value());
  ASSIGN_OR_RETURN(const bool row, query.Step());
  return row && after < to && to <= query.Uint(0);
}

StatusOr<ports::Recovered> SqliteRunStore::Recover() {
  // One read transaction: snapshot, log and counter are of the same moment.
  Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin("DEFERRED"));
  ports::Recovered out;
  ASSIGN_OR_RETURN(out.snapshot, NewestSnapshot());
  out.seq = out.snapshot == nullptr ? 0 : out.snapshot->seq;
  if (out.snapshot != nullptr) {
    for (const model::Fact& fact : out.snapshot->facts) {
      out.last_at = std::max(out.last_at, fact.at);
    }
  }
  RETURN_IF_ERROR(ReadLog(out.seq, [&out](ports::FactRow row) {
    out.seq += row.facts.size();
    out.last_at = row.facts.empty() ? out.last_at : std::max(out.last_at, row.facts.back().at);
    out.tail.push_back(std::move(row));
    return true;
  }));
  ASSIGN_OR_RETURN(Statement query, db_->Prepare("SELECT seq FROM shard WHERE id=?"));
  query.Bind(1, options_.shard.value());
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (const std::uint64_t seq = row ? query.Uint(0) : 0; seq != out.seq) {
    return base::DataLoss("{}: the log ends at fact {}, but {} were written", db_->path(), out.seq,
                          seq);
  }
  return out;
}

Status SqliteRunStore::ReadAfter(std::uint64_t after, const VisitRow& visit) {
  Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin("DEFERRED"));
  return ReadLog(after, [&visit](const ports::FactRow& row) { return visit(row); });
}

StatusOr<model::PlanRef> SqliteRunStore::LoadPlan(const model::PlanDigest& digest) {
  ASSIGN_OR_RETURN(Statement query, db_->Prepare("SELECT bytes FROM plan WHERE digest=?"));
  query.BindBlob(1, codec::BytesOf(digest));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) {
    return base::NotFound("{}: no plan {}", db_->path(), ToHex(digest));
  }
  if (codec::DigestOfBytes(query.Bytes(0)) != digest) {
    return base::DataLoss("{}: plan {} is damaged: its digest does not fit", db_->path(),
                          ToHex(digest));
  }
  StatusOr<model::PlanRef> plan = codec::DecodePlan(query.Bytes(0));
  return plan.ok() ? plan : base::Annotate(plan.status(), db_->path());
}

}  // namespace

StatusOr<std::unique_ptr<ports::RunStore>> OpenSqliteRunStore(const std::string& path,
                                                              const RunStoreOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db,
                   Database::Open(path, {.read_only = options.read_only,
                                         .busy_timeout_ms = options.busy_timeout_ms,
                                         .grow_log = true}));
  auto store = std::make_unique<SqliteRunStore>(std::move(db), options);
  RETURN_IF_ERROR(store->Prepare());
  return std::unique_ptr<ports::RunStore>(std::move(store));
}

Status ReprojectHistory(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path, {}));
  RETURN_IF_ERROR(PrepareSchema(*db, false, kRunStoreVersion, kRunStoreSchema, "run"));
  Transaction transaction(*db);
  RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
  RETURN_IF_ERROR(db->Execute("DELETE FROM run_history; DELETE FROM job_history;"));
  ASSIGN_OR_RETURN(HistoryTables tables, HistoryTables::Prepare(*db));
  ASSIGN_OR_RETURN(Statement query, db->Prepare("SELECT run, bytes FROM log ORDER BY seq"));
  ASSIGN_OR_RETURN(bool more, query.Step());
  while (more) {
    ASSIGN_OR_RETURN(std::vector<model::Fact> facts, codec::DecodeFacts(query.Bytes(1)));
    codec::HistoryRows rows;
    codec::ProjectHistory({model::RunId(query.Uint(0)), std::move(facts)}, rows);
    RETURN_IF_ERROR(tables.Insert(rows));
    ASSIGN_OR_RETURN(more, query.Step());
  }
  query.Reset();
  return transaction.Commit();
}

}  // namespace store::sqlite
