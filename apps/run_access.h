// SPDX-License-Identifier: Apache-2.0
// Runs as commands see them, wherever they are: in this user's state folder (`local_runs.h`) or at
// a server (`network/server_runs.h`). `name` is an id, the beginning of one, or `latest`. One
// thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/logs_command.h"
#include "apps/view/board.h"
#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/model/deployment.h"
#include "engine/ports/run_queries.h"

namespace apps {

struct RunReading {
  view::Board board;
  bool alive = false;  ///< somebody works on it
};

struct RunExplained {
  engine::model::RunId run;
  std::string json;  ///< as `explain --format json` prints it
};

struct RunCancelled {
  engine::model::RunId run;
  engine::model::Status status = engine::model::Status::kRunning;  ///< final: it was over already
};

/// What somebody says to a job that asks.
struct ApprovalGiven {
  std::string job;
  bool approve = true;
  std::vector<std::pair<std::string, std::string>> inputs;
};

class RunAccess {
 public:
  virtual ~RunAccess() = default;

  /// Newest first.
  virtual engine::base::StatusOr<std::vector<engine::ports::RunRow>> List(
      const engine::ports::RunFilter& filter) = 0;
  /// It is open, and nobody works on it any more.
  virtual bool IsLeft(const engine::ports::RunRow& row) const = 0;
  /// As `model::SelectDeployments`.
  virtual engine::base::StatusOr<std::vector<engine::model::Deployment>> Deployments(
      const engine::model::DeploymentFilter& filter) = 0;
  /// Its run is open, and nobody works on it any more.
  virtual bool IsLeft(const engine::model::Deployment& deployment) const = 0;
  /// Where these runs are kept, for people.
  virtual std::string place() const = 0;

  virtual engine::base::StatusOr<RunReading> Read(const std::string& name) = 0;
  /// What a job keeps beside its artifacts, such as the results of its tests. `NotFound`: it is
  /// gone.
  virtual engine::base::StatusOr<std::string> ReadDocument(
      const engine::base::Digest& document) = 0;
  virtual engine::base::StatusOr<RunExplained> Explain(const std::string& name,
                                                       const std::string& job) = 0;
  virtual engine::base::StatusOr<RunCancelled> Cancel(const std::string& name, bool kill) = 0;
  /// The run, when what follows is durable. `FailedPrecondition`: the job does not ask, or not
  /// them.
  virtual engine::base::StatusOr<engine::model::RunId> Approve(const std::string& name,
                                                               const ApprovalGiven& given) = 0;
  /// On standard output. `DataLoss`: bytes are missing.
  virtual engine::base::Status PrintLogs(const LogsOptions& options) = 0;
};

/// `server`: as given to `--server`; empty: as the environment or `client.yml` say, else the local
/// ones; `local`: the local ones.
engine::base::StatusOr<std::unique_ptr<RunAccess>> OpenRuns(const std::string& server);

/// What the records of a run say of its jobs, in the form of a live explanation.
engine::base::StatusOr<std::string> ExplainRecorded(const view::Board& board,
                                                    const std::string& job);

/// The jobs and the step that the options mean.
struct SelectedSteps {
  std::vector<engine::model::JobIndex> jobs;
  std::string step;  ///< empty: all
};
engine::base::StatusOr<SelectedSteps> SelectSteps(const view::Board& board,
                                                  const LogsOptions& options);

}  // namespace apps
