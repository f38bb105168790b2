// SPDX-License-Identifier: Apache-2.0
// A shard's log in one SQLite file: WAL, synchronous FULL, one transaction and one flush a batch.
// The tables and the life of a commit stand in docs/storage.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/ports/run_store.h"

namespace store::sqlite {

struct RunStoreOptions {
  /// For `show`, `logs`, `explain` of a run that another process may own: nothing is created or
  /// changed, and `AcquireShard` and `Commit` fail.
  bool read_only = false;
  engine::model::ShardId shard{1};
  /// The log is copied back into the database file when it has this many pages (4 KiB each).
  int checkpoint_pages = 4096;
  int cache_kib = 4096;        ///< the page cache's limit
  int busy_timeout_ms = 5000;  ///< how long to wait for a lock that another process holds
  /// 0: no limit. Largest size of the database file in pages; beyond it the disk counts as full.
  int max_pages = 0;
};

/// Opens the database at `path`, or creates it. `NotFound` (read-only, or its folder does not
/// exist), `PermissionDenied`, `ResourceExhausted` (disk full), `Unavailable` (locked),
/// `FailedPrecondition` (of a newer version; says how to mend), `DataLoss` (damaged); each names
/// the path.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunStore>> OpenSqliteRunStore(
    const std::string& path, const RunStoreOptions& options = {});

/// Rebuilds the history tables from the log, in one transaction; for `dayfly admin reproject`.
engine::base::Status ReprojectHistory(const std::string& path);

/// The version of the tables that this build writes (`PRAGMA user_version`).
inline constexpr int kRunStoreVersion = 1;

}  // namespace store::sqlite
