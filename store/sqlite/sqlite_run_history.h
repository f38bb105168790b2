// SPDX-License-Identifier: Apache-2.0
// What a server on one machine knows of its runs, read from the log itself: a row a run is kept in
// memory, and each question first reads what was committed since the last one.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/run_history.h"

namespace store::sqlite {

/// Of the shard's log at `path` (`OpenSqliteRunStore`), read-only. Errors as there.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunHistory>> OpenSqliteRunHistory(
    const std::string& path);

}  // namespace store::sqlite
