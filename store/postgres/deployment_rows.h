// SPDX-License-Identifier: Apache-2.0
// Deployments out of the history tables, and out of what is kept of days that are gone. Inside a
// transaction of the caller's. Same thread as the connection.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/deployment.h"
#include "store/postgres/connection.h"

namespace store::postgres {

/// As `model::SelectDeployments` of all that there is; what has not ended is `waiting`.
base::StatusOr<std::vector<engine::model::Deployment>> ReadDeployments(
    Connection& connection, const engine::model::DeploymentFilter& filter);

/// Of the runs accepted on that day: the newest success of each environment of each source.
base::StatusOr<std::vector<engine::model::Deployment>> ReadSuccessesOf(Connection& connection,
                                                                       std::int32_t day);
/// In place of what ended before it.
base::Status KeepDeployment(Connection& connection, const engine::model::Deployment& deployment);

}  // namespace store::postgres
