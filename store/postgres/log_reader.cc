// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/log_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "store/codec/fact_codec.h"
#include "store/codec/history.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

// Rows are of any size: a batch of a busy moment is a few hundred kilobytes.
constexpr std::int32_t kRowsAtOnce = 256;

constexpr Statement kReadLog = {
    "read_log",
    "SELECT seq, run, bytes FROM dayfly.log WHERE shard = $1::bigint AND seq > $2::bigint "
    "ORDER BY seq LIMIT $3::int"};
// How many runs are asked for together: a round trip for each of thousands would take a while.
constexpr std::size_t kRunsAtOnce = 64;

// The run's day names the partition, the index on the run finds its rows there.
constexpr Statement kReadRuns = {
    "read_runs",
    "SELECT l.seq, l.run, l.bytes FROM unnest($2::bigint[], $3::int[]) AS r(run, day)"
    " CROSS JOIN LATERAL (SELECT seq, run, bytes FROM dayfly.log"
    "  WHERE shard = $1::bigint AND run = r.run AND day = r.day) l ORDER BY l.seq"};

constexpr Statement kOldestSnapshot = {
    "oldest_snapshot", "SELECT min(seq) FROM dayfly.snapshot WHERE shard = $1::bigint"};
constexpr Statement kSnapshots = {
    "snapshots", "SELECT seq FROM dayfly.snapshot WHERE shard = $1::bigint ORDER BY seq DESC"};
constexpr Statement kSnapshot = {
    "snapshot", "SELECT bytes FROM dayfly.snapshot WHERE shard = $1::bigint AND seq = $2::bigint"};

StatusOr<ports::FactRow> RowAt(const Connection& connection, const Rows& rows, std::size_t at) {
  StatusOr<std::vector<model::Fact>> facts = codec::DecodeFacts(rows.Bytes(at, 2));
  if (!facts.ok()) {
    return base::Annotate(
        facts.status(), fmt::format("{}: row {} of the log", connection.name(), rows.Uint(at, 0)));
  }
  return ports::FactRow{model::RunId(rows.Uint(at, 1)), *std::move(facts), rows.Uint(at, 0)};
}

/// Rows up to the older snapshot may have gone with their day (`RunRetention`).
StatusOr<bool> MayBeDropped(Connection& connection, model::ShardId shard, std::uint64_t after,
                            std::uint64_t to) {
  ASSIGN_OR_RETURN(const Rows oldest,
                   connection.Run(kOldestSnapshot, Parameters().Int64(shard.value())));
  return after < to && to <= oldest.Uint(0, 0);
}

/// `seq` is that of the fact before and is moved on.
StatusOr<ports::FactRow> NextRowAt(Connection& connection, model::ShardId shard, const Rows& rows,
                                   std::size_t at, std::uint64_t& seq) {
  ASSIGN_OR_RETURN(ports::FactRow row, RowAt(connection, rows, at));
  if (const std::uint64_t begin = row.seq - row.facts.size(); begin != seq) {
    ASSIGN_OR_RETURN(const bool dropped, MayBeDropped(connection, shard, seq, begin));
    if (!dropped) {
      return base::DataLoss("{}: row {} of the log ends at fact {}; a row before it is missing",
                            connection.name(), row.seq, seq + row.facts.size());
    }
  }
  seq = row.seq;
  return row;
}

Parameters RunsAndDays(model::ShardId shard, std::span<const model::RunId> runs) {
  Column ids(ElementType::kInt64);
  Column days(ElementType::kInt32);
  for (const model::RunId run : runs) {
    ids.Int64(static_cast<std::int64_t>(run.value()));
    days.Int32(static_cast<std::int32_t>(codec::DayOf({run, {}})));
  }
  return Parameters().Int64(shard.value()).Array(ids).Array(days);
}

}  // namespace

Status ReadLog(Connection& connection, model::ShardId shard, std::uint64_t after,
               const VisitNumberedRow& visit) {
  std::uint64_t seq = after;
  while (true) {
    ASSIGN_OR_RETURN(
        const Rows rows,
        connection.Run(kReadLog, Parameters().Int64(shard.value()).Int64(seq).Int32(kRowsAtOnce)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSIGN_OR_RETURN(ports::FactRow row, NextRowAt(connection, shard, rows, i, seq));
      ASSIGN_OR_RETURN(const bool more, visit(std::move(row), seq));
      if (!more) {
        return base::OkStatus();
      }
    }
    if (rows.size() < static_cast<std::size_t>(kRowsAtOnce)) {
      return base::OkStatus();
    }
  }
}

Status ReadLogOf(Connection& connection, model::ShardId shard, std::span<const model::RunId> runs,
                 const ports::RunStore::VisitRow& visit) {
  while (!runs.empty()) {
    const auto some = runs.first(std::min(kRunsAtOnce, runs.size()));
    runs = runs.subspan(some.size());
    ASSIGN_OR_RETURN(const Rows rows, connection.Run(kReadRuns, RunsAndDays(shard, some)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSIGN_OR_RETURN(const ports::FactRow row, RowAt(connection, rows, i));
      if (!visit(row)) {
        return base::OkStatus();
      }
    }
  }
  return base::OkStatus();
}

StatusOr<std::shared_ptr<const model::Snapshot>> NewestSnapshot(Connection& connection,
                                                                model::ShardId shard) {
  ASSIGN_OR_RETURN(const Rows all, connection.Run(kSnapshots, Parameters().Int64(shard.value())));
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSIGN_OR_RETURN(
        const Rows row,
        connection.Run(kSnapshot, Parameters().Int64(shard.value()).Int64(all.Int(i, 0))));
    StatusOr<model::Snapshot> snapshot = codec::DecodeSnapshot(row.Bytes(0, 0));
    if (snapshot.ok()) {
      return std::make_shared<const model::Snapshot>(*std::move(snapshot));
    }
    // The log holds all that a damaged snapshot held; one of a newer version is another matter.
    if (snapshot.status().code() != absl::StatusCode::kDataLoss) {
      return base::Annotate(snapshot.status(), connection.name());
    }
  }
  return std::shared_ptr<const model::Snapshot>();
}

}  // namespace store::postgres
