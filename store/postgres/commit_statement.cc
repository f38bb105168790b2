// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/commit_statement.h"

#include <string>

#include "store/codec/fact_codec.h"
#include "store/codec/plan_codec.h"
#include "store/postgres/history_insert.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

// Everything hangs on `gate`, which is the row that the fence hit or nothing. An UPDATE that waits
// for another transaction looks again when that one has ended, so that what we compare is current.
constexpr const char* kFence = R"sql(
WITH gate AS (
  UPDATE dayfly.shard SET seq = $41::bigint
  WHERE id = $1::bigint AND epoch = $38::bigint AND reconnects = $39::bigint AND seq = $40::bigint
  RETURNING id
),
)sql";

// Two snapshots stay: should the newest be damaged, the one before still spares most of the log.
// All parts see the tables as they were before, so "the newest" here is the one before ours.
constexpr const char* kRest = R"sql(
, new_plan AS (
  INSERT INTO dayfly.plan (digest, name, bytes)
  SELECT p.* FROM gate, unnest($42::bytea[], $43::bytea[], $44::bytea[]) AS p
  ON CONFLICT DO NOTHING
), new_log AS (
  INSERT INTO dayfly.log (shard, seq, epoch, run, day, bytes)
  SELECT $1::bigint, l.seq, $38::bigint, l.run, l.day, l.bytes
  FROM gate, unnest($45::bigint[], $46::bigint[], $47::int[], $48::bytea[])
    AS l(seq, run, day, bytes)
), new_snapshot AS (
  INSERT INTO dayfly.snapshot (shard, seq, bytes)
  SELECT $1::bigint, $41::bigint, s FROM gate, unnest($49::bytea[]) AS s
  ON CONFLICT (shard, seq) DO UPDATE SET bytes = excluded.bytes
), old_snapshot AS (
  DELETE FROM dayfly.snapshot
  WHERE shard = $1::bigint AND EXISTS (SELECT FROM gate) AND cardinality($49::bytea[]) > 0
    AND seq < (SELECT max(seq) FROM dayfly.snapshot WHERE shard = $1::bigint)
)
SELECT id FROM gate
)sql";

struct PlanColumns {
  Column digest{ElementType::kBytes}, name{ElementType::kBytes}, bytes{ElementType::kBytes};
};

StatusOr<PlanColumns> EncodePlans(const ports::CommitBatch& batch, EncodedCommit& out) {
  PlanColumns columns;
  for (const auto& [digest, plan] : batch.plans) {
    const std::string bytes = codec::EncodePlan(*plan);
    if (codec::DigestOfBytes(bytes) != digest) {
      return base::InvalidArgument("plan {} does not have the digest {}", plan->name,
                                   ToHex(digest));
    }
    columns.digest.Bytes(codec::BytesOf(digest));
    columns.name.Bytes(plan->name);
    columns.bytes.Bytes(bytes);
    out.plan_bytes += bytes.size();
  }
  return columns;
}

struct LogColumns {
  Column seq{ElementType::kInt64}, run{ElementType::kInt64}, day{ElementType::kInt32},
      bytes{ElementType::kBytes};
  HistoryInsert history;
};

StatusOr<LogColumns> EncodeRows(const ports::CommitBatch& batch, EncodedCommit& out) {
  LogColumns columns;
  std::uint64_t seq = batch.seq_before;
  std::string bytes;
  for (const ports::FactRow& row : batch.rows) {
    if (row.facts.empty()) {
      continue;
    }
    seq += row.facts.size();
    bytes.clear();
    codec::EncodeFactsTo(row.facts, bytes);
    const auto day = static_cast<std::int32_t>(codec::DayOf(row));
    columns.seq.Int64(static_cast<std::int64_t>(seq));
    columns.run.Int64(static_cast<std::int64_t>(row.run.value()));
    columns.day.Int32(day);
    columns.bytes.Bytes(bytes);
    columns.history.Add(row, seq);
    out.days.insert(day);
    out.row_bytes += bytes.size();
  }
  if (seq != batch.seq_after) {
    return base::InvalidArgument("a commit of {} facts that says it has {}", seq - batch.seq_before,
                                 batch.seq_after - batch.seq_before);
  }
  return columns;
}

}  // namespace

StatusOr<EncodedCommit> EncodeCommit(const ports::CommitBatch& batch, const Fence& fence) {
  EncodedCommit out;
  ASSIGN_OR_RETURN(const PlanColumns plans, EncodePlans(batch, out));
  ASSIGN_OR_RETURN(const LogColumns log, EncodeRows(batch, out));
  Column snapshot(ElementType::kBytes);
  if (batch.snapshot != nullptr) {
    const std::string bytes = codec::EncodeSnapshot(*batch.snapshot);
    snapshot.Bytes(bytes);
    out.snapshot_bytes = bytes.size();
  }
  Parameters& parameters = out.parameters;
  parameters.Int64(fence.shard.value());
  log.history.AppendTo(parameters);
  parameters.Int64(batch.epoch.value())
      .Int64(fence.reconnects)
      .Int64(batch.seq_before)
      .Int64(batch.seq_after)
      .Array(plans.digest)
      .Array(plans.name)
      .Array(plans.bytes)
      .Array(log.seq)
      .Array(log.run)
      .Array(log.day)
      .Array(log.bytes)
      .Array(snapshot);
  return out;
}

Statement CommitStatement() {
  static_assert(kHistoryParameters == 36, "the numbers above begin behind those of the history");
  static const std::string sql = std::string(kFence) + kInsertHistory + kRest;
  return {"commit", sql.c_str()};
}

}  // namespace store::postgres
