// SPDX-License-Identifier: Apache-2.0
// What environments have, and had, as text and as JSON. Pure.
#pragma once

#include <span>
#include <string>

#include "apps/view/summary.h"
#include "engine/base/time.h"
#include "engine/model/deployment.h"

namespace apps::view {

struct ListedDeployment {
  model::Deployment deployment;
  bool left = false;  ///< its run is open, and nobody works on it
};

/// One environment's: a line each, below it why it ended as it did when it did not succeed. `now`
/// is for those that run.
std::string DeploymentsText(std::span<const ListedDeployment> listed, base::Instant now,
                            const Look& look);
/// An overview (`model::DeploymentFilter`): for each environment what it has now, and below that
/// the newest when that is another.
std::string EnvironmentsText(std::span<const ListedDeployment> listed, base::Instant now,
                             const Look& look);

/// An object a line; docs/cli.md names their members.
std::string DeploymentsJson(std::span<const ListedDeployment> listed);
std::string EnvironmentsJson(std::span<const ListedDeployment> listed);

}  // namespace apps::view
