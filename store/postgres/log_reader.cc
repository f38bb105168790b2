// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/log_reader.h"

#include <utility>
#include <vector>

#include "store/codec/fact_codec.h"

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
constexpr Statement kSnapshots = {
    "snapshots", "SELECT seq FROM dayfly.snapshot WHERE shard = $1::bigint ORDER BY seq DESC"};
constexpr Statement kSnapshot = {
    "snapshot", "SELECT bytes FROM dayfly.snapshot WHERE shard = $1::bigint AND seq = $2::bigint"};

/// One row of `rows`; `seq` is that of the fact before and is moved on.
StatusOr<ports::FactRow> RowAt(const Connection& connection, const Rows& rows, std::size_t at,
                               std::uint64_t& seq) {
  StatusOr<std::vector<model::Fact>> facts = codec::DecodeFacts(rows.Bytes(at, 2));
  if (!facts.ok()) {
    return base::Annotate(
        facts.status(), fmt::format("{}: row {} of the log", connection.name(), rows.Uint(at, 0)));
  }
  seq += facts->size();
  if (seq != rows.Uint(at, 0)) {
    return base::DataLoss("{}: row {} of the log ends at fact {}; a row before it is missing",
                          connection.name(), rows.Uint(at, 0), seq);
  }
  return ports::FactRow{model::RunId(rows.Uint(at, 1)), *std::move(facts)};
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
      ASSIGN_OR_RETURN(ports::FactRow row, RowAt(connection, rows, i, seq));
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
