// SPDX-License-Identifier: Apache-2.0
// Join tokens and workers' identities in PostgreSQL, shared by all servers on the database: a token
// that one of them made is good at any other, once.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/ports/worker_registry.h"

namespace store::postgres {

struct WorkerRegistryOptions {
  std::string conninfo;
  /// A question that takes longer is given up. Agents ask again, so that it may be short.
  engine::base::Duration patience = std::chrono::seconds(5);
};

/// Connects, and brings the tables up to date. Errors as `OpenPostgresRunStore`. A connection that
/// breaks is replaced by the next call.
engine::base::StatusOr<std::unique_ptr<engine::ports::WorkerRegistry>> OpenPostgresWorkerRegistry(
    const WorkerRegistryOptions& options);

}  // namespace store::postgres
