// SPDX-License-Identifier: Apache-2.0
#include "api/services/runs_service.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/services/archive.h"
#include "api/services/call.h"
#include "api/services/diagnostics.h"
#include "api/services/intake.h"
#include "api/services/run_feeds.h"
#include "api/services/run_lookup.h"
#include "api/wire/deployments.h"
#include "api/wire/request_fields.h"
#include "api/wire/run_events.h"
#include "dsl/approval.h"
#include "dsl/selection.h"
#include "engine/core/core.h"
#include "engine/loop/engine_loop.h"

namespace api::services {

namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace ports = engine::ports;

namespace {

constexpr std::uint32_t kListedMax = 1000;
constexpr std::uint32_t kListedDefault = 50;
constexpr std::size_t kNameBytesMax = 4096;

/// Performs `work` with the shard and the run that is meant, or finishes the call.
void WithRun(const Call& call, const std::string& name,
             std::function<void(Shard&, const FeedRef&)> work) {
  if (base::Status named = wire::CheckRunName(name, "run"); !named.ok()) {
    return call.Finish(named);
  }
  call.seat->OnEngine([call, name, work = std::move(work)](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    FindRun(*call.seat, *shard, name, [call, work](const base::StatusOr<FeedRef>& feed) {
      Shard* then = call.seat->shard();
      if (!feed.ok()) {
        call.Finish(feed.status());
      } else if (then == nullptr) {
        call.NotOwner();
      } else {
        work(*then, *feed);
      }
    });
  });
}

void AnswerStarted(const Call& call, base::StatusOr<Started> result,
                   const std::optional<KeyTaken>& taken, pb::SubmitResponse* response) {
  if (taken) {
    call.context->AddTrailingMetadata(kRunKey, model::ToText(taken->first));
  }
  if (!result.ok()) {
    return result.status().code() == absl::StatusCode::kUnavailable ? call.NotOwner()
                                                                    : call.Finish(result.status());
  }
  if (result->run.value() != 0) {
    response->set_run(model::ToText(result->run));
  }
  response->set_existed(result->existed);
  ToWire(result->diagnostics, response->mutable_diagnostics());
  call.Finish(base::OkStatus());
}

base::StatusOr<ports::RunFilter> FilterFrom(const pb::ListRunsRequest& request) {
  RETURN_IF_ERROR(wire::CheckLength(request.pipeline(), kNameBytesMax, "pipeline"));
  RETURN_IF_ERROR(wire::CheckLength(request.source(), kNameBytesMax, "source"));
  RETURN_IF_ERROR(wire::CheckLength(request.branch(), kNameBytesMax, "branch"));
  if (request.limit() > kListedMax) {
    return base::InvalidArgument("limit: {}, at most {}", request.limit(), kListedMax);
  }
  ports::RunFilter filter;
  filter.limit = request.limit() == 0 ? kListedDefault : request.limit();
  filter.pipeline = request.pipeline();
  filter.source = request.source();
  filter.branch = request.branch();
  if (request.status() != pb::STATUS_UNSPECIFIED) {
    ASSIGN_OR_RETURN(filter.status, wire::StatusFrom(request.status(), "status"));
  }
  return filter;
}

void ToWire(const ports::RunRow& row, pb::RunSummary* out) {
  out->set_run(model::ToText(row.run));
  out->set_pipeline(row.pipeline);
  out->set_pipeline_file(row.pipeline_file);
  out->set_source(row.source);
  out->set_commit(row.commit);
  out->set_branch(row.branch);
  out->set_event(row.event);
  out->set_status(wire::ToWire(row.status));
  out->set_accepted_at_us(base::ToMicros(row.accepted_at));
  if (row.ended_at) {
    out->set_ended_at_us(base::ToMicros(*row.ended_at));
  }
  wire::ToWire(row.counts, out->mutable_counts());
}

// Open runs as the engine knows them, the others as the store does.
void AnswerList(const Call& call, Shard* shard, const std::vector<ports::RunRow>& rows,
                pb::ListRunsResponse* response) {
  for (const ports::RunRow& row : rows) {
    const FeedRef feed = shard == nullptr ? nullptr : shard->feeds->Find(row.run);
    pb::RunSummary* summary = response->add_runs();
    if (feed != nullptr) {
      *summary = feed->Summary();
    } else {
      ToWire(row, summary);
    }
  }
  call.Finish(base::OkStatus());
}

/// What the engine knows of a deployment of a run that is open: the store has no row for what goes
/// on.
void CatchUp(RunFeeds& feeds, model::Deployment& deployment) {
  const FeedRef feed = model::IsFinal(deployment.status) ? nullptr : feeds.Find(deployment.run);
  if (feed == nullptr) {
    return;
  }
  for (model::Deployment& known : feed->deployments()) {
    if (known.job == deployment.job) {
      // Which one is current, only the store can tell.
      known.is_current = deployment.is_current;
      deployment = std::move(known);
      return;
    }
  }
}

void AnswerDeployments(const Call& call, Shard* shard, std::vector<model::Deployment>& found,
                       pb::ListDeploymentsResponse* response) {
  for (model::Deployment& deployment : found) {
    if (shard != nullptr) {
      CatchUp(*shard->feeds, deployment);
    }
    wire::ToWire(deployment, response->add_deployments());
  }
  call.Finish(base::OkStatus());
}

/// Asks on the archive's thread, and answers on the engine's, which may own nothing any more by
/// then.
template <typename Ask, typename Answer>
void AskHistory(const Call& call, Ask ask, Answer answer) {
  call.seat->OnEngine([call, ask, answer](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    const base::Status asked =
        shard->archive->Do([call, ask, answer](ports::RunHistory& history, ports::RunStore&) {
          auto found = std::make_shared<decltype(ask(history))>(ask(history));
          call.seat->OnEngine([call, found, answer](Shard* then) {
            found->ok() ? answer(then, **found) : call.Finish(found->status());
          });
        });
    if (!asked.ok()) {
      call.Finish(asked);
    }
  });
}

void AnswerCancel(const Call& call, const FeedRef& feed, model::Status before,
                  pb::CancelResponse* response) {
  response->set_run(model::ToText(feed->run()));
  response->set_status(wire::ToWire(before));
  call.Finish(base::OkStatus());
}

// Every job that is not over, or those that were named.
base::StatusOr<std::vector<model::JobIndex>> JobsToExplain(const RunFeed& feed,
                                                           const std::string& name) {
  if (!name.empty()) {
    return dsl::FindJobs(*feed.plan(), name);
  }
  std::vector<model::JobIndex> jobs;
  for (std::uint32_t i = 0; i < feed.plan()->jobs.size(); ++i) {
    jobs.emplace_back(i);
  }
  return jobs;
}

struct ExplainParts {
  const engine::core::EngineCore& core;
  base::Instant now;
  const Shard* shard;  ///< null: it is gone
};

/// What the core cannot know: whether workers are on their way.
void AddOutlook(const Shard* shard, const model::JobSpec& spec, model::Reason& reason) {
  const bool waits = reason.code == model::ReasonCode::kWaitsForSlot ||
                     reason.code == model::ReasonCode::kWaitsForPool ||
                     reason.code == model::ReasonCode::kWaitsForFit;
  if (!waits || shard == nullptr || !shard->pool_outlook) {
    return;
  }
  const std::string outlook = shard->pool_outlook(model::PoolOf(spec), model::PlaceNeedOf(spec));
  if (!outlook.empty()) {
    reason.subject += "; " + outlook;
  }
}

void AnswerExplain(const Call& call, const RunFeed& feed, const std::vector<model::JobIndex>& jobs,
                   bool all, const ExplainParts& from, pb::ExplainResponse* response) {
  response->set_run(model::ToText(feed.run()));
  response->set_status(wire::ToWire(feed.status()));
  for (const model::JobIndex job : jobs) {
    auto explained = from.core.Explain(feed.run(), job, from.now);
    if (!explained || (all && model::IsFinal(explained->status))) {
      continue;
    }
    pb::ExplainedJob* out = response->add_jobs();
    out->set_job(model::JobName(*feed.plan(), job));
    out->set_status(wire::ToWire(explained->status));
    for (model::Reason& reason : explained->reasons) {
      AddOutlook(from.shard, model::SpecOf(*feed.plan(), job), reason);
      wire::ToWire(reason, out->add_reasons());
    }
  }
  call.Finish(base::OkStatus());
}

}  // namespace

grpc::ServerUnaryReactor* RunsService::Submit(grpc::CallbackServerContext* context,
                                              const pb::SubmitRequest* request,
                                              pb::SubmitResponse* response) {
  const Call call(seat_, context);
  auto submission = wire::SubmissionFrom(*request);
  if (!submission.ok()) {
    call.Finish(submission.status());
    return call.reactor;
  }
  auto shared = std::make_shared<wire::Submission>(*std::move(submission));
  seat_.OnEngine([call, shared, response](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    shard->intake->Submit(
        std::move(*shared), CallerOf(*call.context),
        [call, response](base::StatusOr<Started> result, const std::optional<KeyTaken>& taken) {
          AnswerStarted(call, std::move(result), taken, response);
        });
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* RunsService::Retry(grpc::CallbackServerContext* context,
                                             const pb::RetryRequest* request,
                                             pb::SubmitResponse* response) {
  const Call call(seat_, context);
  if (base::Status keyed = wire::CheckRequestKey(request->request_key(), "request_key");
      !keyed.ok()) {
    call.Finish(keyed);
    return call.reactor;
  }
  WithRun(call, request->run(), [call, request, response](Shard& shard, const FeedRef& feed) {
    if (!model::IsFinal(feed->status())) {
      return call.Finish(
          base::FailedPrecondition("run {} is still under way", model::ToText(feed->run())));
    }
    shard.intake->Retry(
        feed, request->failed_only(), request->request_key(), CallerOf(*call.context),
        [call, response](base::StatusOr<Started> result, const std::optional<KeyTaken>& taken) {
          AnswerStarted(call, std::move(result), taken, response);
        });
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* RunsService::Get(grpc::CallbackServerContext* context,
                                           const pb::GetRunRequest* request,
                                           pb::RunSummary* response) {
  const Call call(seat_, context);
  WithRun(call, request->run(), [call, response](Shard&, const FeedRef& feed) {
    *response = feed->Summary();
    call.Finish(base::OkStatus());
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* RunsService::List(grpc::CallbackServerContext* context,
                                            const pb::ListRunsRequest* request,
                                            pb::ListRunsResponse* response) {
  const Call call(seat_, context);
  const auto filter = FilterFrom(*request);
  if (!filter.ok()) {
    call.Finish(filter.status());
    return call.reactor;
  }
  AskHistory(
      call, [filter = *filter](ports::RunHistory& history) { return history.ListRuns(filter); },
      [call, response](Shard* shard, std::vector<ports::RunRow>& rows) {
        AnswerList(call, shard, rows, response);
      });
  return call.reactor;
}

grpc::ServerWriteReactor<pb::WatchResponse>* RunsService::Watch(
    grpc::CallbackServerContext* context, const pb::WatchRequest* request) {
  return StartWatch({.seat = &seat_, .watching = &watching_, .options = watch_}, *context,
                    *request);
}

grpc::ServerUnaryReactor* RunsService::Cancel(grpc::CallbackServerContext* context,
                                              const pb::CancelRequest* request,
                                              pb::CancelResponse* response) {
  const Call call(seat_, context);
  WithRun(call, request->run(), [call, request, response](Shard& shard, const FeedRef& feed) {
    if (model::IsFinal(feed->status())) {
      return AnswerCancel(call, feed, feed->status(), response);
    }
    const base::Status posted = shard.loop->Post(
        model::CancelRun{
            .run = feed->run(), .kill = request->kill(), .by = CallerOf(*call.context)},
        [call, feed, response](const loop::Answer& answer) {
          // Refused: it has ended in the meantime, which the feed knows.
          const model::Status before =
              answer.refused.empty() ? model::Status::kRunning : feed->status();
          answer.status.ok() ? AnswerCancel(call, feed, before, response) : call.NotOwner();
        });
    if (!posted.ok()) {
      call.Finish(posted);
    }
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* RunsService::Approve(grpc::CallbackServerContext* context,
                                               const pb::ApproveRequest* request,
                                               pb::ApproveResponse* response) {
  const Call call(seat_, context);
  WithRun(call, request->run(), [call, request, response](Shard& shard, const FeedRef& feed) {
    if (model::IsFinal(feed->status())) {
      return call.Finish(base::FailedPrecondition(
          "run {} is over: nothing of it waits for an approval", model::ToText(feed->run())));
    }
    dsl::GivenDecision given{.job = request->job(),
                             .approve = !request->reject(),
                             .by = CallerOf(*call.context),
                             .inputs = {}};
    for (const pb::InputValue& input : request->inputs()) {
      given.inputs.emplace_back(input.name(), input.value());
    }
    auto decision = dsl::ReadDecision(feed->run(), *feed->plan(), given);
    if (!decision.ok()) {
      return call.Finish(decision.status());
    }
    const base::Status posted =
        shard.loop->Post(*std::move(decision), [call, feed, response](const loop::Answer& answer) {
          if (!answer.status.ok()) {
            return call.NotOwner();
          }
          response->set_run(model::ToText(feed->run()));
          call.Finish(answer.refused.empty()
                          ? base::OkStatus()
                          : base::FailedPrecondition("{}", answer.refused.front().message));
        });
    if (!posted.ok()) {
      call.Finish(posted);
    }
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* RunsService::Explain(grpc::CallbackServerContext* context,
                                               const pb::ExplainRequest* request,
                                               pb::ExplainResponse* response) {
  const Call call(seat_, context);
  WithRun(call, request->run(), [call, request, response](Shard& shard, const FeedRef& feed) {
    const auto jobs = JobsToExplain(*feed, request->job());
    if (!jobs.ok()) {
      return call.Finish(jobs.status());
    }
    shard.loop->Read([call, feed, jobs = *jobs, all = request->job().empty(), response](
                         const engine::core::EngineCore& core, base::Instant now) {
      AnswerExplain(call, *feed, jobs, all, {core, now, call.seat->shard()}, response);
    });
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* RunsService::ListDeployments(grpc::CallbackServerContext* context,
                                                       const pb::ListDeploymentsRequest* request,
                                                       pb::ListDeploymentsResponse* response) {
  const Call call(seat_, context);
  const auto filter = wire::DeploymentFilterFrom(*request);
  if (!filter.ok()) {
    call.Finish(filter.status());
    return call.reactor;
  }
  AskHistory(
      call,
      [filter = *filter](ports::RunHistory& history) { return history.ListDeployments(filter); },
      [call, response](Shard* shard, std::vector<model::Deployment>& found) {
        AnswerDeployments(call, shard, found, response);
      });
  return call.reactor;
}

grpc::ServerUnaryReactor* RunsService::ReadTests(grpc::CallbackServerContext* context,
                                                 const pb::ReadTestsRequest* request,
                                                 pb::ReadTestsResponse* response) {
  const Call call(seat_, context);
  const auto document = wire::DigestFrom(request->document());
  if (!document.ok()) {
    call.Finish(wire::Inside("document", document.status()));
    return call.reactor;
  }
  seat_.OnEngine([call, document = *document, response](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    if (!shard->read_tests) {
      return call.Finish(base::NotFound("no test results are kept here"));
    }
    const base::Status asked = shard->archive->Do(
        [call, document, read = shard->read_tests, response](ports::RunHistory&, ports::RunStore&) {
          base::StatusOr<std::string> json = read(document);
          if (json.ok()) {
            response->set_json(*std::move(json));
          }
          call.Finish(json.status());
        });
    if (!asked.ok()) {
      call.Finish(asked);
    }
  });
  return call.reactor;
}

}  // namespace api::services
