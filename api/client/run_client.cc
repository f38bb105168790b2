// SPDX-License-Identifier: Apache-2.0
#include "api/client/run_client.h"

#include <optional>
#include <utility>
#include <variant>

#include "api/wire/deployments.h"
#include "api/wire/request_fields.h"
#include "api/wire/run_events.h"
#include "api/wire/runs.grpc.pb.h"
#include "engine/model/expand.h"

namespace api::client {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace ports = engine::ports;

namespace {

dsl::Diagnostic DiagnosticFrom(const pb::Diagnostic& from) {
  dsl::Diagnostic out;
  out.code = from.code();
  out.severity = from.warning() ? dsl::Severity::kWarning : dsl::Severity::kError;
  out.message = from.message();
  out.file = from.span().file();
  out.line = from.span().line();
  out.column = from.span().column();
  out.end_line = from.span().end_line();
  out.end_column = from.span().end_column();
  out.hint = from.hint();
  out.source_line = from.source_line();
  out.source_line_column = from.source_line_column();
  for (const pb::RelatedPlace& place : from.related()) {
    out.related.push_back({.message = place.message(),
                           .file = place.span().file(),
                           .line = place.span().line(),
                           .column = place.span().column()});
  }
  return out;
}

base::StatusOr<SubmitAnswer> AnswerFrom(const pb::SubmitResponse& response) {
  SubmitAnswer answer;
  if (!response.run().empty()) {
    ASSIGN_OR_RETURN(answer.run, wire::RunIdFrom(response.run(), "run"));
  }
  answer.existed = response.existed();
  for (const pb::Diagnostic& diagnostic : response.diagnostics()) {
    answer.diagnostics.push_back(DiagnosticFrom(diagnostic));
  }
  return answer;
}

base::StatusOr<ports::RunRow> RowFrom(const pb::RunSummary& summary) {
  ports::RunRow row;
  ASSIGN_OR_RETURN(row.run, wire::RunIdFrom(summary.run(), "run"));
  ASSIGN_OR_RETURN(row.status, wire::StatusFrom(summary.status(), "status"));
  ASSIGN_OR_RETURN(row.counts, wire::JobCountsFrom(summary.counts(), "counts"));
  row.pipeline = summary.pipeline();
  row.pipeline_file = summary.pipeline_file();
  row.source = summary.source();
  row.commit = summary.commit();
  row.branch = summary.branch();
  row.event = summary.event();
  row.accepted_at = base::InstantFromMicros(summary.accepted_at_us());
  if (summary.ended_at_us() != 0) {
    row.ended_at = base::InstantFromMicros(summary.ended_at_us());
  }
  return row;
}

/// Takes a stream's messages over any number of streams.
class Watcher {
 public:
  Watcher(pb::WatchRequest request, const WatchHandlers& handlers)
      : request_(std::move(request)), handlers_(handlers) {}

  const pb::WatchRequest& request() const { return request_; }
  bool enough() const { return enough_; }

  base::Status Take(const pb::WatchResponse& message) {
    if (message.has_outline()) {
      return TakeOutline(message.outline());
    }
    for (const pb::RunEvent& event : message.events().events()) {
      if (!run_) {
        return base::Internal("the server sent events before the outline");
      }
      ASSIGN_OR_RETURN(const std::optional<model::Fact> fact, wire::FactOf(event, *run_));
      request_.set_position(request_.position() + 1);
      if (fact) {
        Grow(*fact);
      }
      if (fact && !handlers_.happened(*fact)) {
        enough_ = true;
        break;
      }
    }
    return base::OkStatus();
  }

 private:
  void Grow(const model::Fact& fact) {
    if (const auto* expanded = std::get_if<model::JobsExpanded>(&fact.body)) {
      run_->plan = model::Expand(*run_->plan, expanded->expansion);
    }
  }
  base::Status TakeOutline(const pb::RunOutline& outline) {
    if (run_) {
      return base::OkStatus();
    }
    ASSIGN_OR_RETURN(run_, wire::OutlinedRunFrom(outline));
    // `latest` is another run by the time the stream is opened again.
    request_.set_run(model::ToText(run_->run));
    handlers_.outlined(*run_);
    return base::OkStatus();
  }

  pb::WatchRequest request_;
  const WatchHandlers& handlers_;
  std::optional<wire::OutlinedRun> run_;
  bool enough_ = false;
};

}  // namespace

base::StatusOr<SubmitAnswer> RunClient::Submit(const wire::Submission& submission) {
  const pb::SubmitRequest request = wire::ToWire(submission);
  pb::SubmitResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->Submit(&context, request, &response);
  }));
  return AnswerFrom(response);
}

base::StatusOr<SubmitAnswer> RunClient::Retry(const std::string& run, bool failed_only,
                                              const std::string& request_key) {
  pb::RetryRequest request;
  request.set_run(run);
  request.set_failed_only(failed_only);
  request.set_request_key(request_key);
  pb::SubmitResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->Retry(&context, request, &response);
  }));
  return AnswerFrom(response);
}

base::StatusOr<ports::RunRow> RunClient::Get(const std::string& run) {
  pb::GetRunRequest request;
  request.set_run(run);
  pb::RunSummary response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->Get(&context, request, &response);
  }));
  return RowFrom(response);
}

base::StatusOr<std::vector<ports::RunRow>> RunClient::List(const ports::RunFilter& filter) {
  pb::ListRunsRequest request;
  request.set_limit(static_cast<std::uint32_t>(filter.limit));
  request.set_pipeline(filter.pipeline);
  request.set_source(filter.source);
  request.set_branch(filter.branch);
  if (filter.status) {
    request.set_status(wire::ToWire(*filter.status));
  }
  pb::ListRunsResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->List(&context, request, &response);
  }));
  std::vector<ports::RunRow> rows;
  for (const pb::RunSummary& summary : response.runs()) {
    ASSIGN_OR_RETURN(ports::RunRow row, RowFrom(summary));
    rows.push_back(std::move(row));
  }
  return rows;
}

base::StatusOr<std::vector<model::Deployment>> RunClient::ListDeployments(
    const model::DeploymentFilter& filter) {
  const pb::ListDeploymentsRequest request = wire::ToWire(filter);
  pb::ListDeploymentsResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->ListDeployments(&context, request, &response);
  }));
  std::vector<model::Deployment> deployments;
  for (const pb::Deployment& each : response.deployments()) {
    ASSIGN_OR_RETURN(model::Deployment deployment, wire::DeploymentFrom(each));
    deployments.push_back(std::move(deployment));
  }
  return deployments;
}

base::StatusOr<CancelAnswer> RunClient::Cancel(const std::string& run, bool kill) {
  pb::CancelRequest request;
  request.set_run(run);
  request.set_kill(kill);
  pb::CancelResponse response;
  // Sent twice it would kill.
  RETURN_IF_ERROR(connection_.Call(kill, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->Cancel(&context, request, &response);
  }));
  CancelAnswer answer;
  ASSIGN_OR_RETURN(answer.run, wire::RunIdFrom(response.run(), "run"));
  ASSIGN_OR_RETURN(answer.status, wire::StatusFrom(response.status(), "status"));
  return answer;
}

base::StatusOr<model::RunId> RunClient::Approve(
    const std::string& run, const std::string& job, bool approve,
    const std::vector<std::pair<std::string, std::string>>& inputs) {
  pb::ApproveRequest request;
  request.set_run(run);
  request.set_job(job);
  request.set_reject(!approve);
  for (const auto& [name, value] : inputs) {
    pb::InputValue* input = request.add_inputs();
    input->set_name(name);
    input->set_value(value);
  }
  pb::ApproveResponse response;
  // Sent twice, the second is refused although the first was taken.
  RETURN_IF_ERROR(connection_.Call(false, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->Approve(&context, request, &response);
  }));
  return wire::RunIdFrom(response.run(), "run");
}

base::StatusOr<ExplainAnswer> RunClient::Explain(const std::string& run, const std::string& job) {
  pb::ExplainRequest request;
  request.set_run(run);
  request.set_job(job);
  pb::ExplainResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->Explain(&context, request, &response);
  }));
  ExplainAnswer answer;
  ASSIGN_OR_RETURN(answer.run, wire::RunIdFrom(response.run(), "run"));
  ASSIGN_OR_RETURN(answer.status, wire::StatusFrom(response.status(), "status"));
  for (const pb::ExplainedJob& job_message : response.jobs()) {
    ExplainedJob explained;
    explained.job = job_message.job();
    ASSIGN_OR_RETURN(explained.status, wire::StatusFrom(job_message.status(), "jobs.status"));
    for (const pb::Reason& reason : job_message.reasons()) {
      explained.reasons.push_back(wire::ReasonFrom(reason).value_or(model::Reason()));
    }
    answer.jobs.push_back(std::move(explained));
  }
  return answer;
}

base::StatusOr<std::string> RunClient::ReadTests(const base::Digest& document) {
  pb::ReadTestsRequest request;
  request.set_document(wire::ToWire(document));
  pb::ReadTestsResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Runs::NewStub(channel)->ReadTests(&context, request, &response);
  }));
  return std::move(*response.mutable_json());
}

base::Status RunClient::Watch(const std::string& run, bool history_only,
                              const WatchHandlers& handlers) {
  pb::WatchRequest first;
  first.set_run(run);
  first.set_history_only(history_only);
  Watcher watcher(std::move(first), handlers);
  base::Status broken;
  const base::Status called =
      connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
        const auto reader = pb::Runs::NewStub(channel)->Watch(&context, watcher.request());
        pb::WatchResponse message;
        while (broken.ok() && !watcher.enough() && reader->Read(&message)) {
          connection_.Progressed();
          broken = watcher.Take(message);
        }
        if (!broken.ok() || watcher.enough()) {
          context.TryCancel();
          reader->Finish();
          return grpc::Status::OK;
        }
        const grpc::Status status = reader->Finish();
        // A reader that was sent away for being slow goes on where it was.
        return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
                       watcher.request().position() > 0
                   ? grpc::Status(grpc::StatusCode::UNAVAILABLE, status.error_message())
                   : status;
      });
  return broken.ok() ? called : broken;
}

}  // namespace api::client
