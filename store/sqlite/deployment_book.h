// SPDX-License-Identifier: Apache-2.0
// The deployments of all runs whose facts it was told. Reads plans where a job's name is needed,
// and nothing else. Same thread as the plans' source.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/deployment.h"
#include "engine/ports/run_store.h"

namespace store::sqlite {

class DeploymentBook {
 public:
  /// `plans` outlives this.
  explicit DeploymentBook(engine::ports::PlanSource& plans) : plans_(plans) {}

  /// In the order of the log. Facts of a run whose acceptance was not told change nothing.
  engine::base::Status Take(const engine::model::Fact& fact);
  void Clear();

  /// In no order.
  std::vector<engine::model::Deployment> List() const;

 private:
  /// What is needed as long as a run may still deploy.
  struct OpenRun {
    std::shared_ptr<const engine::model::RunContext> context;
    engine::model::PlanDigest plan;
    std::vector<engine::model::Expansion> expanded;
    engine::model::PlanRef grown;  ///< null until a job claims something, and when it grew since
    engine::model::RunDeployments deployments;
  };
  engine::base::Status Grow(OpenRun& run);
  engine::base::Status Claim(OpenRun& run, const engine::model::JobQueued& queued,
                             engine::base::Instant at);

  engine::ports::PlanSource& plans_;
  std::map<engine::model::RunId, OpenRun> open_;
  std::vector<engine::model::Deployment> over_;
};

}  // namespace store::sqlite
