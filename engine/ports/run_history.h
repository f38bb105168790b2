// SPDX-License-Identifier: Apache-2.0
// What a server's store knows of runs that the core has forgotten. Written by the commits
// themselves, so that what was answered is there. Open runs are answered by the shard's owner from
// memory. Threads: an instance is used by one thread at a time.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/status.h"
#include "engine/ports/deployment_queries.h"
#include "engine/ports/run_queries.h"

namespace engine::ports {

/// How a job ended.
struct JobRow {
  model::JobIndex job;
  model::Status status = model::Status::kWaiting;
  model::Reason reason;
  base::Instant at{};
  model::AttemptNumber attempt = 0;  ///< that ended it; 0: none did
  base::Duration took{0};            ///< that attempt
  friend bool operator==(const JobRow&, const JobRow&) = default;
};

/// `ListRuns` and `FindRun` give open runs the status `running`; `folder` and `owner` stay empty.
/// Of the deployments whose runs were dropped the newest success of each environment is still
/// there.
class RunHistory : public RunQueries, public DeploymentQueries {
 public:
  /// The acceptance of the first run of this shard with the key, open or closed; nothing when there
  /// is none.
  ///
  /// The core refuses a key only while its run is open. So that a key starts one run, the shard's
  /// owner asks here before it posts `SubmitRun`, and lets no second submit with the same key ask
  /// before the first was answered.
  virtual base::StatusOr<std::optional<model::RunAccepted>> FindKey(
      std::string_view idempotency_key) = 0;

  /// Runs may have been dropped (`RunRetention`): nothing of what was read before counts any more.
  virtual void Refresh() {}

  /// The jobs of a run that have ended, by index. Empty for a run that nobody knows.
  virtual base::StatusOr<std::vector<JobRow>> JobsOf(model::RunId run) = 0;
};

}  // namespace engine::ports
