// SPDX-License-Identifier: Apache-2.0
// Attempts: what workers report of them under their lease, how they are stopped, and what their end
// means for the job.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/overloaded.h"
#include "engine/core/job_result.h"
#include "engine/core/retry.h"
#include "engine/core/stepper.h"

namespace engine::core {
namespace {

using model::JobIndex;
using model::ReasonCode;
using model::RefusalCode;
using model::Status;

bool IsCancel(ReasonCode code) {
  return code == ReasonCode::kCancelRequested || code == ReasonCode::kKilled ||
         code == ReasonCode::kRunTimeout || code == ReasonCode::kFailFast ||
         code == ReasonCode::kSuperseded;
}

bool CanEndAttempt(Status status) {
  return status == Status::kSucceeded || status == Status::kCancelled || Failed(status);
}

// The worker answers an order to stop with "cancelled"; the engine knows what the order was for.
void NameTimeout(model::AttemptEnded& ended, const model::Reason& stop) {
  const bool lost = ended.infra && ended.status == Status::kFailed;
  if (stop.code == ReasonCode::kJobTimeout && (ended.status == Status::kCancelled || lost)) {
    ended.status = Status::kTimedOut;
    ended.reason = {.code = ReasonCode::kJobTimeout};
  }
}

model::JobResult ResultOf(Status status, model::Reason reason, const model::ReportEnded* report) {
  model::JobResult result{.status = status, .reason = std::move(reason)};
  if (report != nullptr) {
    result.outputs = report->outputs;
    result.spilled = report->spilled;
    result.artifacts = report->artifacts;
    result.remarks = report->remarks;
  }
  return result;
}

}  // namespace

void Stepper::On(const model::AttemptReported& input) {
  RunState* run = state_.FindRun(input.lease.key.run);
  if (run == nullptr) {
    return Refuse(RefusalCode::kUnknownRun, input.lease.key.run, "the run is not known");
  }
  for (const model::Report& report : input.reports) {
    if (RefuseLease(*run, input.lease)) {
      return;
    }
    std::visit([&](const auto& body) { OnReport(*run, input.lease, body); }, report);
  }
}

bool Stepper::RefuseLease(const RunState& run, const model::Lease& lease) {
  const model::AttemptKey& key = lease.key;
  if (key.job.value() >= run.jobs.size()) {
    Refuse(RefusalCode::kUnknownJob, key.run, "the job is not in the plan");
    return true;
  }
  const JobState& job = run.job(key.job);
  if (job.phase == JobPhase::kEnded ||
      (job.attempt_phase == AttemptPhase::kNone && key.attempt <= job.attempt &&
       job.phase == JobPhase::kBackedOff)) {
    Refuse(RefusalCode::kAlreadyEnded, key.run, "the attempt has ended");
    return true;
  }
  if (key.attempt != job.attempt || job.attempt_phase == AttemptPhase::kNone) {
    Refuse(RefusalCode::kStaleAttempt, key.run, "it is not the attempt that is running");
    return true;
  }
  if (job.worker->id() != lease.worker || job.worker->joined.session != lease.session ||
      job.worker->phase == WorkerPhase::kLost) {
    Refuse(RefusalCode::kStaleSession, key.run, "the attempt belongs to another session");
    return true;
  }
  return false;
}

void Stepper::OnReport(RunState& run, const model::Lease& lease,
                       const model::ReportStarted& report) {
  if (!kJobMachine.CanFire(run.job(lease.key.job).phase, JobTrigger::kStarted)) {
    return Refuse(RefusalCode::kRepeated, run.id(), "the attempt has started already");
  }
  const model::JobSpec& spec = model::SpecOf(run.plan(), lease.key.job);
  const base::Duration timeout =
      spec.timeout.count() > 0 ? spec.timeout : model::DefaultSettings().job_timeout;
  Emit(model::AttemptStarted{.key = lease.key, .slot = report.slot, .deadline = After(timeout)});
}

void Stepper::OnReport(RunState& run, const model::Lease& lease,
                       const model::ReportStepStarted& report) {
  const JobState& job = run.job(lease.key.job);
  const std::uint32_t step = report.step.value();
  if (model::StepAt(model::SpecOf(run.plan(), lease.key.job), report.step) == nullptr) {
    return Refuse(RefusalCode::kInvalid, run.id(), "the job has no such step");
  }
  if (job.phase != JobPhase::kRunning) {
    return Refuse(RefusalCode::kOutOfOrder, run.id(), "a step began before its attempt");
  }
  if (step < job.next_step || (job.in_step && step == job.next_step)) {
    return Refuse(RefusalCode::kRepeated, run.id(), "the step has started already");
  }
  if (job.in_step) {
    return Refuse(RefusalCode::kOutOfOrder, run.id(), "the step before has not ended");
  }
  Emit(model::StepStarted{.key = lease.key, .step = report.step});
}

void Stepper::OnReport(RunState& run, const model::Lease& lease,
                       const model::ReportStepEnded& report) {
  const JobState& job = run.job(lease.key.job);
  const std::uint32_t step = report.step.value();
  if (model::StepAt(model::SpecOf(run.plan(), lease.key.job), report.step) == nullptr ||
      !model::IsFinal(report.status)) {
    return Refuse(RefusalCode::kInvalid, run.id(), "the job has no such step, or it has not ended");
  }
  const bool beside = job.RunsBeside(step);
  if (step < job.next_step && !beside) {
    return Refuse(RefusalCode::kRepeated, run.id(), "the step has ended already");
  }
  const bool expected =
      beside || (job.in_step ? step == job.next_step : report.status == Status::kSkipped);
  if (job.phase != JobPhase::kRunning || !expected) {
    return Refuse(RefusalCode::kOutOfOrder, run.id(), "the step has not started");
  }
  Emit(model::StepEnded{.key = lease.key,
                        .step = report.step,
                        .status = report.status,
                        .reason = report.reason,
                        .took = report.took,
                        .log = report.log});
}

void Stepper::OnReport(RunState& run, const model::Lease& lease, const model::ReportEnded& report) {
  if (!CanEndAttempt(report.status)) {
    return Refuse(RefusalCode::kInvalid, run.id(), "an attempt cannot end like that");
  }
  if (report.status == Status::kSucceeded && run.job(lease.key.job).phase != JobPhase::kRunning) {
    return Refuse(RefusalCode::kOutOfOrder, run.id(), "the attempt has not started");
  }
  EndAttempt(run, {.fact = {.key = lease.key,
                            .status = report.status,
                            .infra = report.infra,
                            .reason = report.reason,
                            .took = report.took},
                   .report = &report});
}

void Stepper::LoseAttempt(RunState& run, JobIndex job, std::string cause, bool at_no_expense) {
  EndAttempt(run,
             {.fact = {.key = KeyOf(run, job),
                       .status = Status::kFailed,
                       .infra = true,
                       .reason = {.code = ReasonCode::kWorkerLost, .subject = std::move(cause)}},
              .at_no_expense = at_no_expense});
}

// Its worker's agent ends it by itself when it hears nobody; only then may another one begin.
void Stepper::WaitOut(RunState& run, JobIndex job) {
  if (kAttemptMachine.CanFire(run.job(job).attempt_phase, AttemptTrigger::kUnheard)) {
    Emit(model::AttemptUnheard{
        .key = KeyOf(run, job),
        .deadline = After(model::DefaultSettings().offline + kUnheardMargin)});
  }
}

void Stepper::EndAttempt(RunState& run, AttemptEnd end) {
  const JobState& job = run.job(end.fact.key.job);
  model::Reason stop;
  if (job.detail != nullptr && job.detail->stop.has_value()) {
    stop = job.detail->stop->reason;
  }
  end.began = job.phase == JobPhase::kRunning;
  end.effect_may_be_done = EffectMayBeDone(run, end);
  NameTimeout(end.fact, stop);
  // Cancelled though nobody asked: the worker could not go on.
  end.fact.infra =
      end.fact.infra || (end.fact.status == Status::kCancelled && stop.code == ReasonCode::kNone);
  Emit(end.fact);
  DecideJob(run, end, stop);
}

// What nobody reported may have happened; what was reported did.
bool Stepper::EffectMayBeDone(const RunState& run, const AttemptEnd& end) const {
  const JobState& job = run.job(end.fact.key.job);
  if (job.detail != nullptr && job.detail->effect_may_be_done) {
    return true;
  }
  return model::HasOnceStep(model::SpecOf(run.plan(), end.fact.key.job)) &&
         (end.report == nullptr || job.once_begun);
}

void Stepper::DecideJob(RunState& run, const AttemptEnd& end, const model::Reason& stop) {
  const JobIndex job = end.fact.key.job;
  if (end.fact.status == Status::kSucceeded) {
    const bool plain = end.fact.reason.code == ReasonCode::kNone && end.report->outputs.empty() &&
                       end.report->spilled.empty() && end.report->artifacts.empty() &&
                       end.report->remarks.empty();
    return EndJob(run, job,
                  plain ? PlainSuccess()
                        : std::make_shared<const model::JobResult>(
                              ResultOf(Status::kSucceeded, end.fact.reason, end.report)));
  }
  if (stop.code == ReasonCode::kQueueTimeout) {
    return FailJob(run, job, Status::kTimedOut, stop, nullptr);
  }
  if (IsCancel(stop.code) || !MayStillRun(run, job)) {
    return EndStoppedJob(run, end, stop);
  }
  if (end.at_no_expense) {
    return BeginAgain(run, job, end.effect_may_be_done, end.fact.reason);
  }
  RetryOrFail(run, end);
}

// The attempt was to end. A failure of its own that was already on its way stands; it is not
// retried.
void Stepper::EndStoppedJob(RunState& run, const AttemptEnd& end, const model::Reason& stop) {
  const JobIndex job = end.fact.key.job;
  if (Failed(end.fact.status) && !end.fact.infra) {
    return FailJob(run, job, end.fact.status, end.fact.reason, end.report);
  }
  const model::Reason& why = IsCancel(stop.code) ? stop : run.cancelled->reason;
  const bool never_began = !end.began && end.fact.key.attempt == 1;
  if (never_began && why.code == ReasonCode::kFailFast) {
    return EndJob(run, job, Status::kSkipped, why);
  }
  EndJob(run, job,
         std::make_shared<const model::JobResult>(ResultOf(Status::kCancelled, why, end.report)));
}

void Stepper::RetryOrFail(RunState& run, const AttemptEnd& end) {
  const JobIndex job = end.fact.key.job;
  const JobDetail* detail = run.job(job).detail.get();
  const bool again = detail != nullptr && detail->backed_off.has_value();
  const FailedAttempt failed{.key = end.fact.key,
                             .status = end.fact.status,
                             .infra = end.fact.infra && end.fact.status != Status::kTimedOut,
                             .reason = end.fact.reason,
                             .author_retries = again ? detail->backed_off->author_retries : 0,
                             .infra_retries = again ? detail->backed_off->infra_retries : 0};
  const model::JobSpec& spec = model::SpecOf(run.plan(), job);
  const RetryDecision decision =
      DecideRetry(model::RareOf(spec).retry, failed, run.accepted.context->seed);
  const bool infra = decision.verdict == RetryVerdict::kInfra;
  switch (decision.verdict) {
    case RetryVerdict::kGiveUp:
      return FailJob(run, job, failed.status, failed.reason, end.report);
    case RetryVerdict::kInfraSpent:
      return FailJob(run, job, Status::kFailed,
                     {.code = ReasonCode::kInfraRetriesSpent,
                      .detail = failed.infra_retries + std::int64_t{1},
                      .subject = model::Describe(failed.reason)},
                     end.report);
    case RetryVerdict::kAuthor:
    case RetryVerdict::kInfra:
      break;
  }
  model::Reason reason = failed.reason;
  reason.until = After(decision.delay);
  Emit(model::JobBackedOff{.run = run.id(),
                           .job = job,
                           .infra = infra,
                           .reason = std::move(reason),
                           .attempt = failed.key.attempt,
                           .author_retries = failed.author_retries + (infra ? 0 : 1),
                           .infra_retries = failed.infra_retries + (infra ? 1 : 0),
                           .effect_may_be_done = end.effect_may_be_done});
}

void Stepper::FailJob(RunState& run, JobIndex job, Status status, const model::Reason& reason,
                      const model::ReportEnded* report) {
  const model::AllowFailure& allow = model::RareOf(model::SpecOf(run.plan(), job)).allow_failure;
  const bool tolerated = Tolerates(allow, reason);
  model::Reason shown = reason;
  if (tolerated) {
    shown = {.code = ReasonCode::kTolerated,
             .detail = std::max(ExitCodeOf(reason), 0),
             .subject = model::Describe(reason)};
  }
  EndJob(run, job,
         std::make_shared<const model::JobResult>(
             ResultOf(tolerated ? Status::kWarned : status, std::move(shown), report)));
}

void Stepper::StopAttempt(RunState& run, JobIndex job, bool kill, const model::Reason& reason) {
  const AttemptTrigger trigger =
      kill ? AttemptTrigger::kKillRequested : AttemptTrigger::kStopRequested;
  if (!kAttemptMachine.CanFire(run.job(job).attempt_phase, trigger)) {
    return;  // It is being stopped already, or killed.
  }
  if (run.job(job).attempt_phase == AttemptPhase::kUnheard) {
    return StopUnheard(run, job, kill, reason);
  }
  const model::Defaults& defaults = model::DefaultSettings();
  const bool has_finally = !model::RareOf(model::SpecOf(run.plan(), job)).finally_steps.empty();
  const base::Duration allowed = defaults.cancel_grace + kStopMargin +
                                 (has_finally ? defaults.finally_budget : base::Duration(0));
  model::AttemptStopRequested stop{.key = KeyOf(run, job),
                                   .kill = kill,
                                   .reason = reason,
                                   .deadline = After(kill ? kKillMargin : allowed)};
  out_.effects.emplace_back(StopEffectOf(run, stop));
  Emit(std::move(stop));
}

// Nobody is told: nobody would hear it. But the job ends as it was ordered to.
void Stepper::StopUnheard(RunState& run, JobIndex job, bool kill, const model::Reason& reason) {
  const JobState& state = run.job(job);
  const bool ordered = state.detail != nullptr && state.detail->stop.has_value();
  if (ordered && (state.detail->stop->kill || !kill)) {
    return;
  }
  Emit(model::AttemptStopRequested{.key = KeyOf(run, job),
                                   .kill = kill,
                                   .reason = reason,
                                   .deadline = state_.deadlines.at(state.deadline_position).at});
}

}  // namespace engine::core
