// SPDX-License-Identifier: Apache-2.0
// The stores that `server.yml` names.
#pragma once

#include <memory>
#include <optional>

#include "apps/server_config.h"
#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/ports/run_history.h"
#include "engine/ports/run_retention.h"
#include "engine/ports/run_store.h"
#include "engine/ports/shard_lease.h"
#include "engine/ports/worker_registry.h"

namespace apps::network {

/// The one that commits.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunStore>> OpenRunStore(
    const ServerConfig& config, std::optional<engine::model::Epoch> leased);
/// The same log, for reading beside it.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunStore>> OpenReadingStore(
    const ServerConfig& config);
engine::base::StatusOr<std::unique_ptr<engine::ports::RunHistory>> OpenRunHistory(
    const ServerConfig& config);

/// What drops old days of it.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunRetention>> OpenRunRetention(
    const ServerConfig& config);

/// Who joined, and which tokens are out.
engine::base::StatusOr<std::unique_ptr<engine::ports::WorkerRegistry>> OpenWorkerRegistry(
    const ServerConfig& config);

/// Of a database that several servers may share.
engine::base::StatusOr<std::unique_ptr<engine::ports::ShardLease>> OpenShardLease(
    const ServerConfig& config);

}  // namespace apps::network
