// SPDX-License-Identifier: Apache-2.0
// Reads a shard's log and snapshots. Inside a transaction of the caller's, so that all is of one
// moment. Same thread as the connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/model/snapshot.h"
#include "engine/ports/run_store.h"
#include "store/postgres/connection.h"

namespace store::postgres {

/// Hands the rows behind fact `after` to `visit`, in order, each with the number of its last fact,
/// until it returns not OK or false. A few hundred rows are in memory at a time. `DataLoss` when a
/// row is damaged or missing; names it.
using VisitNumberedRow =
    std::function<base::StatusOr<bool>(engine::ports::FactRow, std::uint64_t seq)>;
base::Status ReadLog(Connection& connection, engine::model::ShardId shard, std::uint64_t after,
                     const VisitNumberedRow& visit);

/// Hands the rows of `runs` to `visit`, those of each run in order, until it returns false; a few
/// runs at a time. `DataLoss` when a row is damaged; names it.
base::Status ReadLogOf(Connection& connection, engine::model::ShardId shard,
                       std::span<const engine::model::RunId> runs,
                       const engine::ports::RunStore::VisitRow& visit);

/// The newest that can be read; null when there is none. A damaged one costs only time.
base::StatusOr<std::shared_ptr<const engine::model::Snapshot>> NewestSnapshot(
    Connection& connection, engine::model::ShardId shard);

}  // namespace store::postgres
