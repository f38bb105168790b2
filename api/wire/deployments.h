// SPDX-License-Identifier: Apache-2.0
// Deployments, to and from the model's values. Pure; any thread.
#pragma once

#include "api/wire/runs.pb.h"
#include "api/wire/values.h"
#include "engine/model/deployment.h"

namespace api::wire {

void ToWire(const engine::model::Deployment& deployment, pb::Deployment* out);
/// A reason that this build does not know is of a newer server, and left out.
engine::base::StatusOr<engine::model::Deployment> DeploymentFrom(const pb::Deployment& deployment);

pb::ListDeploymentsRequest ToWire(const engine::model::DeploymentFilter& filter);
engine::base::StatusOr<engine::model::DeploymentFilter> DeploymentFilterFrom(
    const pb::ListDeploymentsRequest& request);

}  // namespace api::wire
