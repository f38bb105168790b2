// SPDX-License-Identifier: Apache-2.0
// Gates: what stands between a job whose needs are met and its attempts. In this order: its delay,
// somebody's approval, room in its groups. Nothing is held while somebody is asked, so that a
// question that nobody answers holds up nobody else.
// A further attempt passes one gate: when an effect that must not happen twice may have happened,
// and the steps cannot tell by themselves, somebody is asked. It keeps its groups.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/core/stepper.h"

namespace engine::core {
namespace {

using model::JobIndex;
using model::Reason;
using model::ReasonCode;
using model::RefusalCode;
using model::Status;

bool CanTell(const model::StepSpec& step) {
  return !step.effects_once || !step.effect_check.text.empty();
}

bool EveryStepCanTell(const model::JobSpec& spec) {
  const std::vector<model::StepSpec>& finally_steps = model::RareOf(spec).finally_steps;
  return std::all_of(spec.steps.begin(), spec.steps.end(), CanTell) &&
         std::all_of(finally_steps.begin(), finally_steps.end(), CanTell);
}

std::string ApproversText(const model::ApprovalSpec& approval) {
  return approval.approvers.empty() ? "anyone"
                                    : fmt::format("{}", fmt::join(approval.approvers, " or "));
}

// Empty: they may.
std::string ProblemWithPerson(const model::ApprovalSpec& approval, const std::string& by) {
  const auto& approvers = approval.approvers;
  if (approvers.empty() || std::ranges::find(approvers, by) != approvers.end()) {
    return "";
  }
  return fmt::format("{} may not approve it: ask {}", by, ApproversText(approval));
}

// Empty: these are what is asked for.
std::string ProblemWithInputs(const model::ApprovalSpec& approval,
                              const model::DecideApproval& input) {
  for (const model::NamedValue& given : input.inputs) {
    if (std::ranges::find(approval.inputs, given.name, &model::InputSpec::name) ==
        approval.inputs.end()) {
      return fmt::format("the approval has no input {}", given.name);
    }
  }
  for (const model::InputSpec& asked : approval.inputs) {
    if (input.approve && asked.required &&
        std::ranges::find(input.inputs, asked.name, &model::NamedValue::name) ==
            input.inputs.end()) {
      return fmt::format("the approval needs the input {}", asked.name);
    }
  }
  return "";
}

}  // namespace

void Stepper::Begin(RunState& run, JobIndex job) {
  const base::Duration delay = model::RareOf(model::SpecOf(run.plan(), job)).delay;
  if (delay.count() > 0) {
    return Emit(model::JobDelayed{.run = run.id(), .job = job, .until = After(delay)});
  }
  AfterDelay(run, job);
}

void Stepper::AfterDelay(RunState& run, JobIndex job) {
  const model::RareJobSettings& rare = model::RareOf(model::SpecOf(run.plan(), job));
  if (rare.approval.has_value()) {
    return Ask(run, job, 1,
               {.code = ReasonCode::kWaitsForApproval, .subject = ApproversText(*rare.approval)});
  }
  AfterApproval(run, job);
}

void Stepper::AfterApproval(RunState& run, JobIndex job) {
  base::StatusOr<Claims> claims = EvaluateClaims(run, job);
  if (!claims.ok()) {
    return EndJob(run, job, Status::kFailed,
                  {.code = ReasonCode::kBadExpression,
                   .subject = std::string(base::Message(claims.status()))});
  }
  if (claims->groups.empty()) {
    return ReadyJob(run, job, 1);
  }
  Queue(run, job, *std::move(claims));
}

void Stepper::BeginAgain(RunState& run, JobIndex job, bool effect_may_be_done,
                         const Reason& before) {
  const model::AttemptNumber attempt = run.job(job).attempt + 1;
  if (effect_may_be_done && !EveryStepCanTell(model::SpecOf(run.plan(), job))) {
    return Ask(run, job, attempt,
               {.code = ReasonCode::kEffectMayBeDone, .subject = model::Describe(before)});
  }
  ReadyJob(run, job, attempt, effect_may_be_done);
}

void Stepper::Ask(RunState& run, JobIndex job, model::AttemptNumber attempt, Reason reason) {
  const model::RareJobSettings& rare = model::RareOf(model::SpecOf(run.plan(), job));
  const bool has_own = rare.approval.has_value() && rare.approval->timeout.count() > 0;
  const base::Instant deadline =
      After(has_own ? rare.approval->timeout : model::DefaultSettings().approval_timeout);
  reason.until = deadline;
  Emit(model::ApprovalRequested{.run = run.id(),
                                .job = job,
                                .attempt = attempt,
                                .reason = std::move(reason),
                                .deadline = deadline});
}

void Stepper::On(const model::DecideApproval& input) {
  RunState* run = state_.FindRun(input.run);
  if (run == nullptr) {
    return Refuse(RefusalCode::kUnknownRun, input.run, "the run is not known");
  }
  if (input.job.value() >= run->jobs.size()) {
    return Refuse(RefusalCode::kUnknownJob, input.run, "the job is not in the plan");
  }
  const JobState& job = run->job(input.job);
  if (job.phase == JobPhase::kEnded) {
    return Refuse(RefusalCode::kAlreadyEnded, input.run, "the job has ended");
  }
  if (job.phase != JobPhase::kAsking) {
    const JobGates* gates = job.gates();
    return gates != nullptr && gates->decided.has_value()
               ? Refuse(RefusalCode::kRepeated, input.run,
                        fmt::format("{} has approved it already", gates->decided->approval.by))
               : Refuse(RefusalCode::kOutOfOrder, input.run, "the job waits for no approval");
  }
  const model::ApprovalSpec none;
  const auto& approval = model::RareOf(model::SpecOf(run->plan(), input.job)).approval;
  const model::ApprovalSpec& asked = approval.has_value() ? *approval : none;
  // Inputs were given before the first attempt.
  const bool is_again = job.gates()->asked_again.has_value();
  std::string problem = input.approve ? ProblemWithPerson(asked, input.by) : "";
  if (problem.empty() && !is_again) {
    problem = ProblemWithInputs(asked, input);
  }
  if (!problem.empty()) {
    return Refuse(RefusalCode::kInvalid, input.run, std::move(problem));
  }
  OnDecided(*run, input.job, input);
}

void Stepper::OnDecided(RunState& run, JobIndex job, const model::DecideApproval& input) {
  const bool is_again = run.job(job).gates()->asked_again.has_value();
  Emit(model::ApprovalDecided{
      .run = run.id(),
      .job = job,
      .approved = input.approve,
      .approval = {.by = input.by,
                   .inputs = is_again ? std::vector<model::NamedValue>() : input.inputs}});
  if (!input.approve) {
    return EndJob(run, job, Status::kCancelled,
                  {.code = ReasonCode::kApprovalRejected, .subject = input.by});
  }
  const JobGates& gates = *run.job(job).gates();
  if (gates.asked_again.has_value()) {
    return ReadyJob(run, job, gates.asked_again->attempt);
  }
  AfterApproval(run, job);
}

}  // namespace engine::core
