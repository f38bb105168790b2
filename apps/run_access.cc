// SPDX-License-Identifier: Apache-2.0
#include "apps/run_access.h"

#include "apps/client_config.h"
#include "apps/local_runs.h"
#include "apps/log_printer.h"
#include "apps/network_part.h"
#include "apps/run_control.h"
#include "apps/view/json_text.h"
#include "dsl/selection.h"

namespace apps {

namespace base = engine::base;
namespace model = engine::model;

base::StatusOr<std::unique_ptr<RunAccess>> OpenRuns(const std::string& server) {
  ASSIGN_OR_RETURN(const ServerChoice choice, ChooseServer(server));
  if (choice.servers.empty()) {
    return OpenLocalRuns();
  }
  ASSIGN_OR_RETURN(const NetworkPart* network, NeedNetworkPart());
  return network->open_runs(choice);
}

base::StatusOr<std::string> ExplainRecorded(const view::Board& board, const std::string& job) {
  std::vector<model::JobIndex> jobs;
  if (!job.empty()) {
    ASSIGN_OR_RETURN(jobs, dsl::FindJobs(board.plan(), job));
  } else {
    for (std::uint32_t i = 0; i < board.job_count(); ++i) {
      if (board.job(model::JobIndex(i)).status != model::Status::kSucceeded) {
        jobs.emplace_back(i);
      }
    }
  }
  std::string list = "[";
  for (const model::JobIndex each : jobs) {
    const view::JobState& state = board.job(each);
    std::vector<model::Reason> reasons;
    if (state.reason.code != model::ReasonCode::kNone) {
      reasons.push_back(state.reason);
    }
    list +=
        (list.size() > 1 ? "," : "") + ExplainedJob(board.job_name(each), state.status, reasons);
  }
  std::string json;
  view::JsonObject object(json);
  object.Bool("ok", true);
  object.Text("status", model::ToText(board.status()));
  object.Bool("alive", false);
  object.Raw("jobs", list + "]");
  object.End();
  return json;
}

base::StatusOr<SelectedSteps> SelectSteps(const view::Board& board, const LogsOptions& options) {
  SelectedSteps selected;
  if (options.job.empty()) {
    for (std::uint32_t i = 0; i < board.job_count(); ++i) {
      selected.jobs.emplace_back(i);
    }
  } else {
    ASSIGN_OR_RETURN(selected.jobs, dsl::FindJobs(board.plan(), options.job));
  }
  selected.step = options.step;
  if (!options.step.empty()) {
    const model::JobSpec& spec = model::SpecOf(board.plan(), selected.jobs[0]);
    RETURN_IF_ERROR(FindStep(spec, options.step).status());
  }
  return selected;
}

}  // namespace apps
