// SPDX-License-Identifier: Apache-2.0
// What was brought to an environment, by which run, and how it went: worked out from a run's facts,
// the same way by everybody who tells people about it. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"

namespace engine::model {

/// A job that claimed an environment. Jobs that were skipped, or taken over from another run, never
/// did.
struct Deployment {
  std::string environment;
  std::string url;  ///< where it can be looked at; empty: the author does not say
  RunId run;
  JobIndex job;
  std::string job_name;  ///< `deploy`, `deploy[eu]`
  std::string pipeline;
  std::string source;
  std::string commit;
  std::string branch;
  std::string event;
  std::string by;
  Status status = Status::kWaiting;
  Reason reason;  ///< of its end; none while it goes on
  base::Instant queued_at{};
  /// When the attempt began that runs, or that ended it; nothing when none did.
  std::optional<base::Instant> started_at;
  std::optional<base::Instant> ended_at;
  /// What is there now: the newest that succeeded. Of each source by itself: sources that call an
  /// environment the same share its room, not what they bring there.
  bool is_current = false;
  friend bool operator==(const Deployment&, const Deployment&) = default;
};

/// Those of one run, by job.
class RunDeployments {
 public:
  /// A job is queued; nothing happens when it claims no environment. `grown`: the run's plan as far
  /// as it has grown.
  void Claim(const JobQueued& queued, base::Instant at, const RunContext& context,
             const Plan& grown);
  /// What happened later, in order. Facts of jobs without a claim change nothing.
  void Apply(const Fact& fact);

  std::vector<Deployment> List() const;

 private:
  struct Claimed {
    Deployment deployment;
    base::Duration took{0};  ///< the attempt that has just ended; 0: none, or nobody could say
  };
  Claimed* Of(JobIndex job);

  std::map<JobIndex, Claimed> claimed_;
};

struct DeploymentFilter {
  std::size_t limit = 50;
  std::string environment;  ///< empty: any
  /// Of each environment of each source only the newest, and the current one behind it; `limit`
  /// counts environments.
  bool is_overview = false;
};

/// What `filter` asks for of `known`, which are all there are of the environment: newest claim
/// first, the current ones marked.
std::vector<Deployment> SelectDeployments(std::vector<Deployment> known,
                                          const DeploymentFilter& filter);

}  // namespace engine::model
