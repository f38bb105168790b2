// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_run_store.h"

#include <set>
#include <utility>

#include "store/codec/plan_codec.h"
#include "store/postgres/commit_statement.h"
#include "store/postgres/connection.h"
#include "store/postgres/history_insert.h"
#include "store/postgres/log_reader.h"
#include "store/postgres/migrate.h"
#include "store/postgres/plan_reader.h"
#include "store/postgres/sql_state.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

constexpr Statement kTakeShard = {
    "take_shard",
    "INSERT INTO dayfly.shard AS s (id, epoch, seq) VALUES ($1::bigint, 1, 0) "
    "ON CONFLICT (id) DO UPDATE SET epoch = s.epoch + 1, reconnects = 0, owner = '', address = '',"
    " lease_until = '-infinity' RETURNING epoch, reconnects"};
constexpr Statement kReconnect = {
    "reconnect",
    "UPDATE dayfly.shard SET reconnects = reconnects + 1 "
    "WHERE id = $1::bigint AND epoch = $2::bigint RETURNING reconnects"};
constexpr Statement kShard = {
    "shard", "SELECT epoch, seq, reconnects FROM dayfly.shard WHERE id = $1::bigint"};
constexpr Statement kEnsureDays = {"ensure_days", "SELECT dayfly.ensure_days($1::int, $2::int)"};

class PostgresRunStore : public ports::RunStore {
 public:
  explicit PostgresRunStore(const RunStoreOptions& options) : options_(options) {
    fence_.shard = options.shard;
  }

  ports::StoreCounters counters() const override;
  StatusOr<model::Epoch> AcquireShard() override;
  StatusOr<ports::Recovered> Recover() override;
  Status Commit(const ports::CommitBatch& batch) override;
  Status ReadAfter(std::uint64_t after, const VisitRow& visit) override;
  Status ReadRuns(std::span<const model::RunId> runs, const VisitRow& visit) override;
  StatusOr<model::PlanRef> LoadPlan(const model::PlanDigest& digest) override;

  /// The connection, a new one when there is none or the last one broke.
  StatusOr<Connection*> Connect();

 private:
  Status Reconnected(Connection& connection);
  Status EnsureDays(Connection& connection, const std::set<std::int32_t>& days);
  Status WhyFenced(Connection& connection, const ports::CommitBatch& batch);
  StatusOr<ports::Recovered> ReadRecovered(Connection& connection);

  RunStoreOptions options_;
  std::unique_ptr<Connection> connection_;
  std::optional<model::Epoch> epoch_;  ///< once the shard was acquired
  Fence fence_;
  std::set<std::int32_t> days_;  ///< that have their partitions, as far as we know
  ports::StoreCounters counters_;
};

ports::StoreCounters PostgresRunStore::counters() const {
  ports::StoreCounters out = counters_;
  out.statements += connection_ != nullptr ? connection_->statements() : 0;
  return out;
}

StatusOr<Connection*> PostgresRunStore::Connect() {
  if (connection_ != nullptr && !connection_->broken()) {
    return connection_.get();
  }
  if (connection_ != nullptr) {
    counters_.statements += connection_->statements();
    connection_.reset();
  }
  ASSIGN_OR_RETURN(auto connection, OpenMigrated({.conninfo = options_.conninfo,
                                                  .network_timeout = options_.network_timeout}));
  RETURN_IF_ERROR(Reconnected(*connection));
  connection_ = std::move(connection);
  return connection_.get();
}

// A commit may still be on its way on the connection that broke: in a buffer of the network or of
// the server. Here we wait for it if it has begun; if it has not, its fence misses from now on, as
// that of an older owner does. Whoever reads after this reads what will stay.
Status PostgresRunStore::Reconnected(Connection& connection) {
  if (!epoch_) {
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const Rows rows,
      connection.Run(kReconnect,
                     Parameters().Int64(options_.shard.value()).Int64(epoch_->value())));
  if (!rows.empty()) {  // else we are deposed, which a commit will say
    fence_.reconnects = rows.Int(0, 0);
  }
  return base::OkStatus();
}

StatusOr<model::Epoch> PostgresRunStore::AcquireShard() {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  if (options_.leased) {
    ASSIGN_OR_RETURN(
        const Rows rows,
        connection->Run(
            kReconnect,
            Parameters().Int64(options_.shard.value()).Int64(options_.leased->value())));
    if (rows.empty()) {
      return base::Aborted("{}: epoch {} of shard {} is over: another server owns it",
                           connection->name(), options_.leased->value(), options_.shard.value());
    }
    epoch_ = options_.leased;
    fence_.reconnects = rows.Int(0, 0);
    return *epoch_;
  }
  ASSIGN_OR_RETURN(const Rows rows,
                   connection->Run(kTakeShard, Parameters().Int64(options_.shard.value())));
  epoch_ = model::Epoch(rows.Uint(0, 0));
  fence_.reconnects = rows.Int(0, 1);
  return *epoch_;
}

// Outside the commit's transaction, and the day after as well: at midnight they stand already.
Status PostgresRunStore::EnsureDays(Connection& connection, const std::set<std::int32_t>& days) {
  for (const std::int32_t day : days) {
    if (days_.contains(day)) {
      continue;
    }
    RETURN_IF_ERROR(connection.Run(kEnsureDays, Parameters().Int32(day).Int32(day + 1)).status());
    days_.insert(day);
  }
  return base::OkStatus();
}

Status PostgresRunStore::WhyFenced(Connection& connection, const ports::CommitBatch& batch) {
  ASSIGN_OR_RETURN(const Rows shard,
                   connection.Run(kShard, Parameters().Int64(options_.shard.value())));
  if (shard.empty()) {
    return base::Aborted("{}: the shard was never acquired", connection.name());
  }
  if (shard.Uint(0, 0) != batch.epoch.value()) {
    return base::Aborted("{}: owned by epoch {} now, this is epoch {}", connection.name(),
                         shard.Uint(0, 0), batch.epoch.value());
  }
  if (shard.Uint(0, 1) != batch.seq_before) {
    return base::Aborted("{}: the log has {} facts, the commit expects {}", connection.name(),
                         shard.Uint(0, 1), batch.seq_before);
  }
  return base::Aborted("{}: another connection of epoch {} writes to the shard", connection.name(),
                       batch.epoch.value());
}

Status PostgresRunStore::Commit(const ports::CommitBatch& batch) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(const EncodedCommit commit, EncodeCommit(batch, fence_));
  RETURN_IF_ERROR(EnsureDays(*connection, commit.days));
  const StatusOr<Rows> hit = connection->Run(CommitStatement(), commit.parameters);
  if (!hit.ok()) {
    if (connection->sql_state() == kCheckViolation) {
      days_.clear();  // somebody dropped a partition: the next try makes it again
    }
    return hit.status();
  }
  if (hit->empty()) {
    return WhyFenced(*connection, batch);
  }
  ++counters_.commits;
  counters_.row_bytes += commit.row_bytes;
  counters_.plan_bytes += commit.plan_bytes;
  counters_.snapshot_bytes += commit.snapshot_bytes;
  return base::OkStatus();
}

StatusOr<ports::Recovered> PostgresRunStore::ReadRecovered(Connection& connection) {
  ports::Recovered out;
  ASSIGN_OR_RETURN(out.snapshot, NewestSnapshot(connection, options_.shard));
  if (out.snapshot != nullptr) {
    out.seq = out.snapshot->seq;
    for (const model::Fact& fact : out.snapshot->facts) {
      out.last_at = std::max(out.last_at, fact.at);
    }
  }
  RETURN_IF_ERROR(ReadLog(connection, options_.shard, out.seq,
                          [&out](ports::FactRow row, std::uint64_t seq) -> StatusOr<bool> {
                            out.seq = seq;
                            out.last_at = std::max(out.last_at, row.facts.back().at);
                            out.tail.push_back(std::move(row));
                            return true;
                          }));
  return out;
}

StatusOr<ports::Recovered> PostgresRunStore::Recover() {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  Transaction transaction(*connection);
  RETURN_IF_ERROR(transaction.BeginSnapshot());
  ASSIGN_OR_RETURN(ports::Recovered out, ReadRecovered(*connection));
  ASSIGN_OR_RETURN(const Rows shard,
                   connection->Run(kShard, Parameters().Int64(options_.shard.value())));
  if (const std::uint64_t seq = shard.empty() ? 0 : shard.Uint(0, 1); seq != out.seq) {
    return base::DataLoss("{}: the log ends at fact {}, but {} were written", connection->name(),
                          out.seq, seq);
  }
  RETURN_IF_ERROR(transaction.Commit());
  return out;
}

Status PostgresRunStore::ReadAfter(std::uint64_t after, const VisitRow& visit) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  Transaction transaction(*connection);
  RETURN_IF_ERROR(transaction.BeginSnapshot());
  RETURN_IF_ERROR(ReadLog(
      *connection, options_.shard, after,
      [&visit](const ports::FactRow& row, std::uint64_t) -> StatusOr<bool> { return visit(row); }));
  return transaction.Commit();
}

Status PostgresRunStore::ReadRuns(std::span<const model::RunId> runs, const VisitRow& visit) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  Transaction transaction(*connection);
  RETURN_IF_ERROR(transaction.BeginSnapshot());
  RETURN_IF_ERROR(ReadLogOf(*connection, options_.shard, runs, visit));
  return transaction.Commit();
}

StatusOr<model::PlanRef> PostgresRunStore::LoadPlan(const model::PlanDigest& digest) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  return ReadPlan(*connection, digest);
}

}  // namespace

StatusOr<std::unique_ptr<ports::RunStore>> OpenPostgresRunStore(const RunStoreOptions& options) {
  auto store = std::make_unique<PostgresRunStore>(options);
  RETURN_IF_ERROR(store->Connect().status());
  return std::unique_ptr<ports::RunStore>(std::move(store));
}

}  // namespace store::postgres
