// SPDX-License-Identifier: Apache-2.0
#include "apps/run_control.h"

#include <optional>
#include <utility>

#include "apps/recorded_run.h"
#include "apps/view/json_text.h"
#include "dsl/approval.h"
#include "dsl/selection.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace core = engine::core;
namespace expr = engine::expr;
namespace model = engine::model;

/// More jobs than anybody reads; an answer stays below its limit.
constexpr std::size_t kJobsMax = 1000;

std::string TextMember(const expr::Value& request, std::string_view name) {
  const expr::Value* value = request.Find(name);
  return value != nullptr && value->kind() == expr::Kind::kString ? value->string() : "";
}

bool BoolMember(const expr::Value& request, std::string_view name) {
  const expr::Value* value = request.Find(name);
  return value != nullptr && value->kind() == expr::Kind::kBoolean && value->boolean();
}

// The answer comes when what followed is durable.
void PostAndReply(const ControlParts& parts, model::Input input,
                  const ControlServer::Reply& reply) {
  base::Status posted =
      parts.loop->Post(std::move(input), [reply](const engine::loop::Answer& answer) {
        if (!answer.status.ok()) {
          reply(ControlError(base::Message(answer.status)));
        } else if (!answer.refused.empty()) {
          reply(ControlError(answer.refused[0].message));
        } else {
          reply("{\"ok\":true}");
        }
      });
  if (!posted.ok()) {
    reply(ControlError(base::Message(posted)));
  }
}

void Cancel(const ControlParts& parts, const expr::Value& request,
            const ControlServer::Reply& reply) {
  model::CancelRun cancel;
  cancel.run = parts.board->run();
  cancel.kill = BoolMember(request, "kill");
  cancel.by = TextMember(request, "by");
  if (cancel.by.empty()) {
    cancel.by = "another terminal";
  }
  parts.notice(fmt::format("{} by {}", cancel.kill ? "killed" : "cancelled", cancel.by));
  PostAndReply(parts, std::move(cancel), reply);
}

std::vector<std::pair<std::string, std::string>> GivenInputs(const expr::Value& request) {
  std::vector<std::pair<std::string, std::string>> given;
  const expr::Value* inputs = request.Find("inputs");
  if (inputs != nullptr && inputs->kind() == expr::Kind::kObject) {
    for (const auto& [name, value] : inputs->object()) {
      given.emplace_back(name, value.ToDisplay());
    }
  }
  return given;
}

void Approve(const ControlParts& parts, const expr::Value& request,
             const ControlServer::Reply& reply) {
  dsl::GivenDecision given;
  given.job = TextMember(request, "job");
  given.approve = BoolMember(request, "approve");
  given.by = TextMember(request, "by");
  given.inputs = GivenInputs(request);
  auto decision = dsl::ReadDecision(parts.board->run(), parts.board->plan(), given);
  if (!decision.ok()) {
    return reply(ControlError(base::Message(decision.status())));
  }
  PostAndReply(parts, *std::move(decision), reply);
}

// Every job that is not over, or the ones that were asked for.
std::vector<model::JobIndex> AskedJobs(const view::Board& board, const std::string& name) {
  if (!name.empty()) {
    auto found = dsl::FindJobs(board.plan(), name);
    return found.ok() ? *found : std::vector<model::JobIndex>();
  }
  std::vector<model::JobIndex> open;
  for (std::uint32_t i = 0; i < board.job_count() && open.size() < kJobsMax; ++i) {
    if (!model::IsFinal(board.job(model::JobIndex(i)).status)) {
      open.emplace_back(i);
    }
  }
  return open;
}

std::string ExplainJobs(const view::Board& board, const std::vector<model::JobIndex>& jobs,
                        const core::EngineCore& engine, base::Instant now) {
  std::string list = "[";
  for (const model::JobIndex job : jobs) {
    const view::JobState& state = board.job(job);
    const std::optional<core::Explanation> explained = engine.Explain(board.run(), job, now);
    std::vector<model::Reason> reasons =
        view::WithTimes(board, job, explained ? explained->reasons : std::vector<model::Reason>());
    if (reasons.empty() && state.reason.code != model::ReasonCode::kNone) {
      reasons.push_back(state.reason);
    }
    list +=
        (list.size() > 1 ? "," : "") +
        ExplainedJob(board.job_name(job), explained ? explained->status : state.status, reasons);
  }
  return list + "]";
}

void Explain(const ControlParts& parts, const expr::Value& request,
             const ControlServer::Reply& reply) {
  const std::string name = TextMember(request, "job");
  std::vector<model::JobIndex> jobs = AskedJobs(*parts.board, name);
  if (jobs.empty() && !name.empty()) {
    reply(ControlError(base::Message(dsl::FindJobs(parts.board->plan(), name).status())));
    return;
  }
  parts.loop->Read([board = parts.board, jobs = std::move(jobs), reply](
                       const core::EngineCore& engine, base::Instant now) {
    std::string json;
    view::JsonObject object(json);
    object.Bool("ok", true);
    object.Text("status", model::ToText(board->status()));
    object.Raw("jobs", ExplainJobs(*board, jobs, engine, now));
    object.End();
    reply(std::move(json));
  });
}

}  // namespace

std::string ExplainedJob(std::string_view job, model::Status status,
                         const std::vector<model::Reason>& reasons) {
  std::string list = "[";
  for (const model::Reason& reason : reasons) {
    list += list.size() > 1 ? "," : "";
    view::JsonObject entry(list);
    entry.Text("reason", model::ToText(reason.code));
    entry.Text("message", model::Describe(reason));
    entry.End();
  }
  std::string json;
  view::JsonObject object(json);
  object.Text("job", job);
  object.Text("status", model::ToText(status));
  object.Raw("reasons", list + "]");
  object.End();
  return json;
}

ControlServer::Handler MakeControlHandler(ControlParts parts) {
  return [parts = std::move(parts)](const expr::Value& request, const ControlServer::Reply& reply) {
    const std::string order = TextMember(request, "do");
    if (order == "cancel") {
      Cancel(parts, request, reply);
    } else if (order == "explain") {
      Explain(parts, request, reply);
    } else if (order == "approve") {
      Approve(parts, request, reply);
    } else if (order == "ping") {
      reply("{\"ok\":true}");
    } else {
      reply(ControlError(fmt::format("unknown order '{}'", order)));
    }
  };
}

}  // namespace apps
