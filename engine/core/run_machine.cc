// SPDX-License-Identifier: Apache-2.0
// Runs: how they are accepted, end and are forgotten. Cancelling stands in cancel.cc.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/job_scope.h"
#include "engine/core/stepper.h"
#include "engine/model/expand.h"

namespace engine::core {
namespace {

using base::AsIndex;
using model::ReasonCode;
using model::RefusalCode;
using model::Status;

std::uint32_t CountOf(const RunState& run, Status status) {
  return run.counts[static_cast<std::size_t>(status)];
}

// Failures that nobody tolerates go first, then why the run was ended early.
void DecideStatus(const RunState& run, model::RunEnded& ended) {
  const std::uint32_t failed = CountOf(run, Status::kFailed) + CountOf(run, Status::kTimedOut);
  if (failed != 0) {
    ended.status = Status::kFailed;
    ended.reason = {.code = ReasonCode::kJobsFailed, .detail = failed};
  } else if (run.cancelled.has_value()) {
    const bool timed_out = run.cancelled->reason.code == ReasonCode::kRunTimeout;
    ended.status = timed_out ? Status::kTimedOut : Status::kCancelled;
    ended.reason = run.cancelled->reason;
  } else if (const std::uint32_t cancelled = CountOf(run, Status::kCancelled); cancelled != 0) {
    ended.status = Status::kCancelled;
    ended.reason = {.code = ReasonCode::kJobsCancelled, .detail = cancelled};
  } else {
    ended.status = CountOf(run, Status::kWarned) != 0 ? Status::kWarned : Status::kSucceeded;
  }
}

}  // namespace

void Stepper::On(const model::SubmitRun& input) {
  if (state_.FindRun(input.run) != nullptr) {
    return Refuse(RefusalCode::kAlreadyExists, input.run, "there is a run of that id");
  }
  const auto same_key = state_.by_key.find(input.idempotency_key);
  if (!input.idempotency_key.empty() && same_key != state_.by_key.end()) {
    return Refuse(RefusalCode::kAlreadyExists, same_key->second,
                  "there is a run of that idempotency key");
  }
  std::shared_ptr<PlanProgram>& program = state_.programs[input.digest];
  if (program == nullptr) {
    auto made = PlanProgram::Make(input.plan);
    if (!made.ok()) {
      state_.programs.erase(input.digest);
      return Refuse(RefusalCode::kInvalid, input.run, std::string(base::Message(made.status())));
    }
    program = *std::move(made);
  }
  std::string problem = ProblemWith(input, *program);
  const model::Plan& plan = *program->plan();
  auto env = problem.empty() ? EvaluateRunEnv(plan, *input.context, input.run)
                             : base::InvalidArgument("{}", problem);
  auto claims = env.ok() ? EvaluateRunClaims(plan, input) : env.status();
  if (!claims.ok()) {
    if (program.use_count() == 1) {
      state_.programs.erase(input.digest);
    }
    return Refuse(RefusalCode::kInvalid, input.run, std::string(base::Message(claims.status())));
  }
  const base::Duration timeout =
      plan.timeout.count() > 0 ? plan.timeout : model::DefaultSettings().run_timeout;
  Emit(model::RunAccepted{.run = input.run,
                          .plan = input.digest,
                          .context = input.context,
                          .env = *std::move(env),
                          .ranks = program->graph().LongestRemaining(input.known_durations),
                          .known_durations = input.known_durations,
                          .not_selected = input.not_selected,
                          .carried = input.carried,
                          .deadline = After(timeout),
                          .idempotency_key = input.idempotency_key});
  for (const model::Expansion& expansion : input.expanded) {
    Emit(model::JobsExpanded{.run = input.run, .expansion = expansion});
  }
  RunState& run = *state_.FindRun(input.run);
  EndAtOnce(run, input);
  QueueRun(run, *std::move(claims));
  Touch(run);
}

std::string Stepper::ProblemWith(const model::SubmitRun& input, const PlanProgram& program) const {
  const model::Plan& plan = *program.plan();
  if (input.context == nullptr) {
    return "the run has no context";
  }
  if (!input.known_durations.empty() && input.known_durations.size() != plan.specs.size()) {
    return "the known durations do not fit the plan";
  }
  for (const model::SpecIndex spec : input.not_selected) {
    if (spec.value() >= plan.specs.size()) {
      return "a job that is not selected is not in the plan";
    }
  }
  model::PlanRef grown = program.plan();
  for (const model::Expansion& expansion : input.expanded) {
    if (!model::CanExpand(*grown, expansion)) {
      return "values that are carried over do not fit the plan";
    }
    grown = model::Expand(*grown, expansion);
  }
  for (const model::CarriedJob& carried : input.carried) {
    if (carried.job.value() >= grown->jobs.size() || !model::IsFinal(carried.result.status)) {
      return "a result that is carried over does not fit the plan";
    }
  }
  return "";
}

// Jobs that need not run: carried over from an earlier run, or not selected.
void Stepper::EndAtOnce(RunState& run, const model::SubmitRun& input) {
  for (const model::CarriedJob& carried : input.carried) {
    if (run.job(carried.job).phase == JobPhase::kWaiting) {
      EndJob(run, carried.job, std::make_shared<const model::JobResult>(carried.result));
    }
  }
  for (const model::SpecIndex spec : input.not_selected) {
    const graph::Cells cells = run.graph().CellsOf(spec);
    for (std::uint32_t i = 0; i < cells.count; ++i) {
      const model::JobIndex job = cells.At(i);
      if (run.job(job).phase == JobPhase::kWaiting) {
        EndJob(run, job, Status::kSkipped, {.code = ReasonCode::kNotSelected});
      }
    }
  }
}

void Stepper::EndRunIfDone(RunState& run) {
  if (run.open_jobs != 0 || !kRunMachine.CanFire(run.phase, RunTrigger::kEnded)) {
    return;
  }
  model::RunEnded ended{.run = run.id(), .counts = run.counts};
  DecideStatus(run, ended);
  Emit(std::move(ended));
}

void Stepper::On(const model::CloseRun& input) {
  const RunState* run = state_.FindRun(input.run);
  if (run == nullptr) {
    return Refuse(RefusalCode::kUnknownRun, input.run, "the run is not known");
  }
  if (!kRunMachine.CanFire(run->phase, RunTrigger::kClosed)) {
    return Refuse(RefusalCode::kOutOfOrder, input.run, "the run has not ended");
  }
  Emit(model::RunClosed{.run = input.run});
}

}  // namespace engine::core
