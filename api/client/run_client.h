// SPDX-License-Identifier: Apache-2.0
// A server's runs, typed. Calls block and follow the owner; one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/client/connection.h"
#include "api/wire/run_outline.h"
#include "api/wire/submission.h"
#include "dsl/diagnostic.h"
#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/model/deployment.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/status.h"
#include "engine/ports/run_queries.h"

namespace api::client {

struct SubmitAnswer {
  engine::model::RunId run;  ///< 0: the pipeline is refused, see `diagnostics`
  bool existed = false;
  std::vector<dsl::Diagnostic> diagnostics;
};

struct CancelAnswer {
  engine::model::RunId run;
  engine::model::Status status = engine::model::Status::kRunning;  ///< final: it was over already
};

struct ExplainedJob {
  std::string job;
  engine::model::Status status = engine::model::Status::kWaiting;
  std::vector<engine::model::Reason> reasons;
};
struct ExplainAnswer {
  engine::model::RunId run;
  engine::model::Status status = engine::model::Status::kRunning;
  std::vector<ExplainedJob> jobs;  ///< none of a run that is over
};

struct WatchHandlers {
  /// Once, first.
  std::function<void(const wire::OutlinedRun&)> outlined;
  /// In order. False: enough.
  std::function<bool(const engine::model::Fact&)> happened;
};

class RunClient {
 public:
  explicit RunClient(Connection& connection) : connection_(connection) {}

  /// `AlreadyExists`: the key was used for another request.
  engine::base::StatusOr<SubmitAnswer> Submit(const wire::Submission& submission);
  engine::base::StatusOr<SubmitAnswer> Retry(const std::string& run, bool failed_only,
                                             const std::string& request_key);
  engine::base::StatusOr<engine::ports::RunRow> Get(const std::string& run);
  engine::base::StatusOr<std::vector<engine::ports::RunRow>> List(
      const engine::ports::RunFilter& filter);
  engine::base::StatusOr<std::vector<engine::model::Deployment>> ListDeployments(
      const engine::model::DeploymentFilter& filter);
  engine::base::StatusOr<CancelAnswer> Cancel(const std::string& run, bool kill);
  /// `FailedPrecondition`: the job does not ask, or not the caller.
  engine::base::StatusOr<engine::model::RunId> Approve(
      const std::string& run, const std::string& job, bool approve,
      const std::vector<std::pair<std::string, std::string>>& inputs);
  engine::base::StatusOr<ExplainAnswer> Explain(const std::string& run, const std::string& job);
  /// The results of a job's tests, as JSON.
  engine::base::StatusOr<std::string> ReadTests(const engine::base::Digest& document);

  /// Everything that happened in the run, then (unless `history_only`) what happens until nothing
  /// more will. A lost stream is opened again where it was: no gap, no repeat.
  engine::base::Status Watch(const std::string& run, bool history_only,
                             const WatchHandlers& handlers);

 private:
  Connection& connection_;
};

}  // namespace api::client
