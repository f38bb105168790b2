// SPDX-License-Identifier: Apache-2.0
// Join tokens and workers' identities of a server on one machine, in an SQLite file of their own.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/worker_registry.h"

namespace store::sqlite {

/// Opens the file at `path`, or creates it. Errors as `OpenSqliteRunStore`.
engine::base::StatusOr<std::unique_ptr<engine::ports::WorkerRegistry>> OpenSqliteWorkerRegistry(
    const std::string& path);

/// The version of the tables that this build writes (`PRAGMA user_version`).
inline constexpr int kWorkerRegistryVersion = 1;

}  // namespace store::sqlite
