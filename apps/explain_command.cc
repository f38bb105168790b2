// SPDX-License-Identifier: Apache-2.0
#include "apps/explain_command.h"

#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/standard_streams.h"
#include "apps/view/utf8.h"
#include "engine/expr/value.h"

namespace apps {
namespace {

namespace expr = engine::expr;
namespace model = engine::model;

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
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  const auto explained = (*runs)->Explain(options.run, options.job);
  if (!explained.ok()) {
    return Fail(explained.status());
  }
  const auto answer = expr::Value::FromJson(explained->json);
  if (!answer.ok()) {
    return Fail(kExitEngine, engine::base::Message(answer.status()));
  }
  Print(options.format == "json" ? answer->ToJson() + "\n"
                                 : AsText(*answer, model::ToText(explained->run)));
  return kExitOk;
}

}  // namespace apps
