// SPDX-License-Identifier: Apache-2.0
// Drops old days from a server's SQLite store, a few rows at a time, so that commits get in
// between.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/run_retention.h"

namespace store::sqlite {

/// `path`: of the store, which exists. The file does not shrink: its room is used again.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunRetention>> OpenSqliteRunRetention(
    const std::string& path);

}  // namespace store::sqlite
