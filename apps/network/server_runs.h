// SPDX-License-Identifier: Apache-2.0
// The runs of a server, for the commands that know local runs, too.
#pragma once

#include <memory>

#include "api/client/connection.h"
#include "apps/client_config.h"
#include "apps/run_access.h"
#include "engine/base/status.h"

namespace apps::network {

/// Where and as whom to call.
api::client::Target TargetOf(const ServerChoice& choice);

/// The server that the options, the environment or `client.yml` name. `InvalidArgument` when none
/// does.
engine::base::StatusOr<api::client::Target> ChooseTarget(const std::string& server);

engine::base::StatusOr<std::unique_ptr<RunAccess>> OpenServerRuns(const ServerChoice& choice);

}  // namespace apps::network
