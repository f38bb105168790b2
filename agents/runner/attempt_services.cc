// SPDX-License-Identifier: Apache-2.0
// An attempt's services: how each is asked whether it is ready, and what its end means.
#include <utility>

#include <fmt/format.h>

#include "agents/runner/attempt.h"
#include "agents/runner/attempt_reasons.h"

namespace agents::runner {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using model::ReasonCode;
using model::Status;

/// They were started, and nothing has gone wrong since.
bool Attempt::AwaitsServices() const {
  const std::size_t services = spec_->services.size();
  return services > 0 && next_ == services && !services_ready_ && !reuse_.result.has_value() &&
         !failure_.has_value() && !stop_.has_value() && !nothing_more_;
}

std::optional<AwaitServices> Attempt::PlanServices() {
  AwaitServices await;
  for (std::size_t i = 0; i < spec_->services.size(); ++i) {
    base::StatusOr<ServiceToAwait> service = PlanService(i);
    if (!service.ok()) {
      const std::string& name = spec_->step(i).id;
      Fail({.status = Status::kFailed,
            .reason = BadStep(base::Annotate(service.status(), "service '" + name + "'"))});
      scope_.SetStatus(View());
      return std::nullopt;
    }
    await.services.push_back(*std::move(service));
  }
  return await;
}

base::StatusOr<ServiceToAwait> Attempt::PlanService(std::size_t index) {
  const model::ReadySpec& ready = spec_->rare->services[index];
  const CompiledReady& compiled = spec_->services[index];
  if (!compiled.error.empty()) {
    return base::InvalidArgument("{}", compiled.error);
  }
  ServiceToAwait service;
  service.step = model::StepIndex(static_cast<std::uint32_t>(index));
  service.name = spec_->step(index).id;
  StartCommand own;
  own.step = service.step;
  RETURN_IF_ERROR(FillEnv(index, own));
  service.ready = {.tcp = ready.tcp,
                   .http = {},
                   .command = {},
                   .log = ready.log,
                   .timeout = ready.timeout.count() > 0 ? ready.timeout
                                                        : model::DefaultSettings().ready_timeout};
  ASSIGN_OR_RETURN(service.ready.http, Render(compiled.http, ready.http.text));
  ASSIGN_OR_RETURN(service.ready.command, Render(compiled.command, ready.command.text));
  scope_.SetStepEnv({});
  // What it prints would stand in nobody's log.
  service.command.argv = {"/bin/sh", "-e", "-c", "exec > /dev/null 2>&1\n"};
  service.command.env = std::move(own.command.env);
  service.command.workdir = place_.workspace;
  const model::AttemptKey& key = assignment_.lease.key;
  service.command.log_tag = {
      .job = key.job.value(), .attempt = key.attempt, .step = ports::kNoStep};
  return service;
}

void Attempt::ServiceLate(model::StepIndex step, const std::string& why) {
  late_service_ = step;
  Fail({.status = Status::kFailed, .reason = ReasonOf(ReasonCode::kServiceNotReady, why)});
}

Attempt::Outcome Attempt::JudgeService(std::size_t index, const ports::CommandExit& exit, Cut cut) {
  Outcome outcome = Judge(exit, cut);
  if (late_service_ == model::StepIndex(static_cast<std::uint32_t>(index))) {
    return *failure_;  // of this very service, as nothing can fail while they are waited for
  }
  if (cut != Cut::kNone && cut != Cut::kStepsEnded) {
    return outcome;
  }
  if (cut == Cut::kStepsEnded && exit.signalled) {
    return outcome;
  }
  // Whatever its exit code: nobody had told it to end.
  const std::string& name = spec_->step(index).id;
  const std::string how =
      outcome.status == Status::kSucceeded ? "exit code 0" : Describe(outcome.reason);
  return {Status::kFailed,
          ReasonOf(ReasonCode::kServiceEnded,
                   exit.started.ok() ? fmt::format("{} ended before the job's steps: {}", name, how)
                                     : fmt::format("{} could not be started: {}", name, how))};
}

}  // namespace agents::runner
