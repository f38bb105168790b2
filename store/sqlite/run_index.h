// SPDX-License-Identifier: Apache-2.0
// `index.db`: one row a run for everything this user started here, and durations seen before.
// Several processes use it at once; each write is one short transaction.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/run_queries.h"

namespace store::sqlite {

struct RunIndexOptions {
  bool read_only = false;  ///< an index that does not exist reads as empty
  int busy_timeout_ms = 5000;
};

/// Opens the index at `path`, or creates it. Errors as `OpenSqliteRunStore`.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunIndex>> OpenRunIndex(
    const std::string& path, const RunIndexOptions& options = {});

inline constexpr int kRunIndexVersion = 1;

}  // namespace store::sqlite
