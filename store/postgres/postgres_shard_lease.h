// SPDX-License-Identifier: Apache-2.0
// The lease of a shard in the shard's own row, on a connection of its own. PostgreSQL's clock alone
// says when it ends; NOTIFY only wakes those who wait for a lease that was given up.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/ports/shard_lease.h"

namespace store::postgres {

struct ShardLeaseOptions {
  std::string conninfo;
  engine::model::ShardId shard{1};
  /// A statement that takes longer (the row is locked, the server hangs) counts as failed: below
  /// the lease's length, so that there is time to ask again.
  engine::base::Duration patience = std::chrono::seconds(1);
};

/// Connects, and brings the tables up to date. Errors as `OpenPostgresRunStore`.
engine::base::StatusOr<std::unique_ptr<engine::ports::ShardLease>> OpenPostgresShardLease(
    const ShardLeaseOptions& options);

}  // namespace store::postgres
