// SPDX-License-Identifier: Apache-2.0
#include "apps/network/server_runs.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "api/client/log_client.h"
#include "api/client/run_client.h"
#include "apps/network/server_log_printer.h"
#include "apps/run_control.h"
#include "apps/view/json_text.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace client = api::client;
namespace model = engine::model;
namespace ports = engine::ports;

bool AwaitsServices(const client::ExplainAnswer& answer) {
  return std::ranges::any_of(answer.jobs, [](const client::ExplainedJob& job) {
    return std::ranges::any_of(job.reasons, [](const model::Reason& reason) {
      return reason.code == model::ReasonCode::kWaitsForServices;
    });
  });
}

void AddTimes(const view::Board& board, client::ExplainAnswer& answer) {
  std::map<std::string_view, model::JobIndex> by_name;
  for (std::uint32_t i = 0; i < board.job_count(); ++i) {
    by_name.emplace(board.job_name(model::JobIndex(i)), i);
  }
  for (client::ExplainedJob& job : answer.jobs) {
    if (const auto found = by_name.find(job.job); found != by_name.end()) {
      job.reasons = view::WithTimes(board, found->second, std::move(job.reasons));
    }
  }
}

std::string ExplainedJson(const client::ExplainAnswer& answer) {
  std::string list = "[";
  for (const client::ExplainedJob& job : answer.jobs) {
    list += (list.size() > 1 ? "," : "") + ExplainedJob(job.job, job.status, job.reasons);
  }
  std::string json;
  view::JsonObject object(json);
  object.Bool("ok", true);
  object.Text("status", model::ToText(answer.status));
  object.Raw("jobs", list + "]");
  object.End();
  return json;
}

class ServerRuns final : public RunAccess {
 public:
  ServerRuns(client::Target target, std::string place)
      : connection_(std::move(target)), client_(connection_), place_(std::move(place)) {}

  base::StatusOr<std::vector<ports::RunRow>> List(const ports::RunFilter& filter) override {
    return client_.List(filter);
  }
  /// A server's runs go on by themselves.
  bool IsLeft(const ports::RunRow&) const override { return false; }
  base::StatusOr<std::vector<model::Deployment>> Deployments(
      const model::DeploymentFilter& filter) override {
    return client_.ListDeployments(filter);
  }
  bool IsLeft(const model::Deployment&) const override { return false; }
  std::string place() const override { return place_; }

  base::StatusOr<RunReading> Read(const std::string& name) override {
    ASSIGN_OR_RETURN(view::Board board, ReadBoard(name));
    const bool alive = !model::IsFinal(board.status());
    return RunReading{.board = std::move(board), .alive = alive};
  }

  base::StatusOr<std::string> ReadDocument(const base::Digest& document) override {
    return client_.ReadTests(document);
  }

  base::StatusOr<RunExplained> Explain(const std::string& name, const std::string& job) override {
    ASSIGN_OR_RETURN(client::ExplainAnswer answer, client_.Explain(name, job));
    const bool is_over = model::IsFinal(answer.status);
    if (!is_over && !AwaitsServices(answer)) {
      return RunExplained{.run = answer.run, .json = ExplainedJson(answer)};
    }
    ASSIGN_OR_RETURN(const view::Board board, ReadBoard(model::ToText(answer.run)));
    if (!is_over) {
      AddTimes(board, answer);
      return RunExplained{.run = answer.run, .json = ExplainedJson(answer)};
    }
    ASSIGN_OR_RETURN(std::string json, ExplainRecorded(board, job));
    return RunExplained{.run = answer.run, .json = std::move(json)};
  }

  base::StatusOr<RunCancelled> Cancel(const std::string& name, bool kill) override {
    ASSIGN_OR_RETURN(const client::CancelAnswer answer, client_.Cancel(name, kill));
    return RunCancelled{.run = answer.run, .status = answer.status};
  }

  base::StatusOr<model::RunId> Approve(const std::string& name,
                                       const ApprovalGiven& given) override {
    auto run = client_.Approve(name, given.job, given.approve, given.inputs);
    // That the job does not ask is the caller's mistake, not the server's trouble.
    return run.status().code() == absl::StatusCode::kFailedPrecondition
               ? base::InvalidArgument("{}", base::Message(run.status()))
               : std::move(run);
  }

  base::Status PrintLogs(const LogsOptions& options) override {
    ASSIGN_OR_RETURN(view::Board board, ReadBoard(options.run));
    ASSIGN_OR_RETURN(const SelectedSteps selected, SelectSteps(board, options));
    client::LogClient logs(connection_);
    const std::string run = model::ToText(board.run());
    return ServerLogPrinter(logs, std::move(board), [this, run] { return ReadBoard(run); })
        .Print(selected, options);
  }

 private:
  base::StatusOr<view::Board> ReadBoard(const std::string& name) {
    std::optional<view::Board> board;
    client::WatchHandlers handlers;
    handlers.outlined = [&](const api::wire::OutlinedRun& run) {
      board.emplace(run.run, run.plan);
    };
    handlers.happened = [&](const model::Fact& fact) {
      board->Apply(fact);
      return true;
    };
    RETURN_IF_ERROR(client_.Watch(name, /*history_only=*/true, handlers));
    if (!board) {
      return base::Internal("the server told nothing of run {}", name);
    }
    return std::move(*board);
  }

  client::Connection connection_;
  client::RunClient client_;
  std::string place_;
};

}  // namespace

client::Target TargetOf(const ServerChoice& choice) {
  client::Target target;
  target.servers = choice.servers;
  // A lease of three seconds has to run out before a standby steps in, and then it reads back.
  target.patience = std::chrono::seconds(15);
  target.authority = choice.certificates + "/ca.pem";
  target.certificate = choice.certificates + "/operator.pem";
  target.key = choice.certificates + "/operator.key";
  return target;
}

base::StatusOr<client::Target> ChooseTarget(const std::string& server) {
  ASSIGN_OR_RETURN(const ServerChoice choice, ChooseServer(server));
  if (choice.servers.empty()) {
    return base::InvalidArgument(
        "no server is named: --server ADDRESS, DAYFLY_SERVER, or `server` in client.yml");
  }
  return TargetOf(choice);
}

base::StatusOr<std::unique_ptr<RunAccess>> OpenServerRuns(const ServerChoice& choice) {
  return std::make_unique<ServerRuns>(TargetOf(choice),
                                      fmt::format("{}", fmt::join(choice.servers, ",")));
}

}  // namespace apps::network
