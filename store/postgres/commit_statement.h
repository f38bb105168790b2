// SPDX-License-Identifier: Apache-2.0
// A whole commit as one statement: fence, plans, log, history, snapshot. One statement is one
// transaction and one round trip, and never leaves a lock behind when its connection is cut. Pure.
#pragma once

#include <cstdint>
#include <set>

#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/ports/run_store.h"
#include "store/postgres/connection.h"
#include "store/postgres/parameters.h"

namespace store::postgres {

/// Who may commit: the row of the shard must say the same, else the statement changes nothing.
struct Fence {
  engine::model::ShardId shard;
  std::int64_t reconnects = 0;
};

/// What the statement needs to know of a batch.
struct EncodedCommit {
  Parameters parameters;
  std::set<std::int32_t> days;  ///< whose partitions must exist
  std::uint64_t row_bytes = 0;
  std::uint64_t plan_bytes = 0;
  std::uint64_t snapshot_bytes = 0;
};

/// `InvalidArgument` when the batch contradicts itself: a wrong count, a plan under another digest.
base::StatusOr<EncodedCommit> EncodeCommit(const engine::ports::CommitBatch& batch,
                                           const Fence& fence);

/// Gives one row when the fence was hit and all is stored; none when nothing was changed.
Statement CommitStatement();

}  // namespace store::postgres
