// SPDX-License-Identifier: Apache-2.0
// A shard's log in PostgreSQL 15 or newer: one statement, one transaction, one round trip a batch.
// The tables and the life of a commit stand in docs/storage.md. Blocks: it is used on the commit
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/ports/run_store.h"

namespace store::postgres {

struct RunStoreOptions {
  std::string conninfo;  ///< as libpq takes it: `host=… dbname=…` or `postgresql://…`
  engine::model::ShardId shard{1};
  /// The epoch that this process took with its lease (`ports::ShardLease`): `AcquireShard` confirms
  /// it, and is `Aborted` when another has taken the shard since. Absent: `AcquireShard` takes the
  /// shard from whoever has it.
  std::optional<engine::model::Epoch> leased;
  /// How long to wait for a connection, and for the network to carry what was sent.
  engine::base::Duration network_timeout = std::chrono::seconds(5);
};

/// Connects, and creates the tables or brings them up to date; any number of servers may do so at
/// once. `Unavailable` (nobody answers), `InvalidArgument` (no address of a database),
/// `FailedPrecondition` (tables of a newer version; says how to mend), `PermissionDenied`.
///
/// A connection that breaks is replaced by the next call. A commit that was on its way on the old
/// one has either happened by then, and `Recover` shows it, or never will.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunStore>> OpenPostgresRunStore(
    const RunStoreOptions& options);

/// Rebuilds the history of the shard from its log, in one transaction; for `dayfly admin
/// reproject`. Commits of an owner wait meanwhile.
engine::base::Status ReprojectHistory(const RunStoreOptions& options);

}  // namespace store::postgres
