// SPDX-License-Identifier: Apache-2.0
// What was deployed where, asked of whoever keeps runs. Threads: an instance is used by one thread
// at a time.
#pragma once

#include <vector>

#include "engine/base/status.h"
#include "engine/model/deployment.h"

namespace engine::ports {

class DeploymentQueries {
 public:
  virtual ~DeploymentQueries() = default;

  /// As `model::SelectDeployments` of all that is known. Of a run that is open the status may lag
  /// behind: who owns the run knows better.
  virtual base::StatusOr<std::vector<model::Deployment>> ListDeployments(
      const model::DeploymentFilter& filter) = 0;
};

}  // namespace engine::ports
