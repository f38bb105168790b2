// SPDX-License-Identifier: Apache-2.0
// Lists and finds runs in the history tables, on a connection of its own, so that people who look
// never hold up a commit.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/ports/run_history.h"

namespace store::postgres {

struct RunHistoryOptions {
  std::string conninfo;
  engine::model::ShardId shard{1};  ///< whose idempotency keys; runs are of all shards
  /// A question that takes longer is given up.
  engine::base::Duration patience = std::chrono::seconds(30);
};

/// Connects, and brings the tables up to date. Errors as `OpenPostgresRunStore`. A connection that
/// breaks is replaced by the next call.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunHistory>> OpenPostgresRunHistory(
    const RunHistoryOptions& options);

}  // namespace store::postgres
