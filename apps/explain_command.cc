// SPDX-License-Identifier: Apache-2.0
#include "apps/explain_command.h"

#include <cstdio>
#include <vector>

#include "apps/control.h"
#include "apps/exit_code.h"
#include "apps/recorded_run.h"
#include "apps/run_control.h"
#include "apps/standard_streams.h"
#include "apps/state_dir.h"
#include "apps/view/json_text.h"
#include "apps/view/utf8.h"
#include "dsl/selection.h"
#include "engine/expr/value.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;

std::string ExplainRequest(const std::string& job) {
  std::string json;
  view::JsonObject object(json);
  object.Text("do", "explain");
  if (!job.empty()) {
    object.Text("job", job);
  }
  object.End();
  return json;
}

// Of a run without a process: what its log says, in the form of a live answer.
base::StatusOr<std::string> ExplainRecorded(const StateDir& state, model::RunId run,
                                            const std::string& name) {
  ASSIGN_OR_RETURN(const RecordedRun recorded, ReadRun(state, run));
  const view::Board& board = recorded.board;
  std::vector<model::JobIndex> jobs;
  if (!name.empty()) {
    ASSIGN_OR_RETURN(jobs, dsl::FindJobs(board.plan(), name));
  } else {
    for (std::uint32_t i = 0; i < board.job_count(); ++i) {
      const model::Status status = board.job(model::JobIndex(i)).status;
      if (status != model::Status::kSucceeded) {
        jobs.emplace_back(i);
      }
    }
  }
  std::string list = "[";
  for (const model::JobIndex job : jobs) {
    const view::JobState& state_of_job = board.job(job);
    std::vector<model::Reason> reasons;
    if (state_of_job.reason.code != model::ReasonCode::kNone) {
      reasons.push_back(state_of_job.reason);
    }
    list += (list.size() > 1 ? "," : "") +
            ExplainedJob(board.job_name(job), state_of_job.status, reasons);
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

std::string Member(const expr::Value& value, std::string_view name) {
  const expr::Value* found = value.Find(name);
  return found == nullptr ? "" : found->ToDisplay();
}

std::string AsText(const expr::Value& answer, const std::string& run) {
  const expr::Value* jobs = answer.Find("jobs");
  const bool alive = answer.Find("alive") == nullptr;
  const std::string status = Member(answer, "status");
  const bool left = !alive && status == model::ToText(model::Status::kRunning);
  std::string out = fmt::format(
      "run {}: {}\n", run,
      left ? fmt::format("left unfinished by a process that is gone; dayfly run --resume {}", run)
           : status);
  for (const expr::Value& job : jobs == nullptr ? expr::Array() : jobs->array()) {
    out += fmt::format("{}: {}\n", Member(job, "job"), Member(job, "status"));
    const expr::Value* reasons = job.Find("reasons");
    for (const expr::Value& reason : reasons == nullptr ? expr::Array() : reasons->array()) {
      out += fmt::format("  {}\n", view::Sanitise(Member(reason, "message")));
    }
  }
  return out;
}

}  // namespace

int ExplainCommand(const ExplainOptions& options) {
  const auto state = StateDir::OpenForReading();
  if (!state.ok()) {
    return Fail(state.status());
  }
  const auto run = FindRun(*state, options.run);
  if (!run.ok()) {
    return Fail(run.status());
  }
  auto answer = AskRun(state->run_folder(*run), ExplainRequest(options.job));
  if (answer.status().code() == absl::StatusCode::kUnavailable) {
    const auto recorded = ExplainRecorded(*state, *run, options.job);
    if (!recorded.ok()) {
      return Fail(recorded.status());
    }
    answer = expr::Value::FromJson(*recorded);
  }
  if (!answer.ok()) {
    return Fail(kExitInvalid, base::Message(answer.status()));
  }
  Print(options.format == "json" ? answer->ToJson() + "\n" : AsText(*answer, model::ToText(*run)));
  return kExitOk;
}

}  // namespace apps
