// SPDX-License-Identifier: Apache-2.0
// Orders to workers, made from the state alone: so they come out the same when they are repeated
// after a recovery as when they were first given.
#include "engine/core/core.h"
#include "engine/core/stepper.h"

namespace engine::core {
namespace {

using model::JobIndex;

void AddOutstanding(const RunState& run, JobIndex job, std::vector<model::Effect>& effects) {
  const JobState& state = run.job(job);
  switch (state.attempt_phase) {
    case AttemptPhase::kNone:
    case AttemptPhase::kRunning:
      return;
    case AttemptPhase::kAssigned:
      effects.emplace_back(model::DispatchAttempt{.assignment = AssignmentOf(run, job)});
      return;
    case AttemptPhase::kUnheard:
      if (state.worker->phase == WorkerPhase::kLost || !state.detail ||
          !state.detail->stop.has_value()) {
        return;  // Nobody is there to be told, or nothing was to be told.
      }
      [[fallthrough]];
    case AttemptPhase::kRecalled:
    case AttemptPhase::kStopping:
    case AttemptPhase::kKilling:
      effects.emplace_back(StopEffectOf(run, *state.detail->stop));
      return;
  }
}

}  // namespace

model::Lease LeaseOf(const RunState& run, JobIndex job) {
  const JobState& state = run.job(job);
  return {.key = {.run = run.id(), .job = job, .attempt = state.attempt},
          .worker = state.worker->id(),
          .session = state.worker->joined.session};
}

model::Assignment AssignmentOf(const RunState& run, JobIndex job) {
  const JobState& state = run.job(job);
  const model::JobSpec& spec = model::SpecOf(run.plan(), job);
  const model::Defaults& defaults = model::DefaultSettings();
  const JobGates* gates = state.gates();
  const bool approved = gates != nullptr && gates->decided.has_value();
  return {.lease = LeaseOf(run, job),
          .plan = run.program->plan(),
          .job = job,
          .context = run.accepted.context,
          .run_env = run.env,
          .job_env = state.detail != nullptr ? state.detail->env : std::vector<model::NamedValue>(),
          .needs = NeedResultsOf(run, run.spec_of(job)),
          .timeout = spec.timeout.count() > 0 ? spec.timeout : defaults.job_timeout,
          .grace = defaults.cancel_grace,
          .finally_budget = defaults.finally_budget,
          .effect_may_be_done = state.detail != nullptr && state.detail->effect_may_be_done,
          .approval = approved ? std::optional(gates->decided->approval) : std::nullopt,
          .run_cancelled = run.is_ending()};
}

model::StopAttempt StopEffectOf(const RunState& run, const model::AttemptStopRequested& stop) {
  return {.lease = LeaseOf(run, stop.key.job),
          .kill = stop.kill,
          .reason = stop.reason,
          .grace = model::DefaultSettings().cancel_grace};
}

model::DrainWorker DrainEffectOf(const WorkerState& worker) {
  return {.worker = worker.id(),
          .session = worker.joined.session,
          .stop_attempts = worker.draining->stop_attempts};
}

std::vector<model::Effect> EngineCore::Outstanding() const {
  std::vector<model::Effect> effects;
  for (const auto& [id, run] : state_->runs) {
    for (std::uint32_t i = 0; i < run->jobs.size(); ++i) {
      AddOutstanding(*run, JobIndex(i), effects);
    }
  }
  // Behind what was assigned before it.
  for (const auto& [id, worker] : state_->workers) {
    if (worker->draining.has_value()) {
      effects.emplace_back(DrainEffectOf(*worker));
    }
  }
  return effects;
}

std::vector<model::Assignment> EngineCore::Assignments() const {
  std::vector<model::Assignment> held;
  for (const auto& [id, run] : state_->runs) {
    for (std::uint32_t i = 0; i < run->jobs.size(); ++i) {
      if (run->jobs[i].attempt_phase != AttemptPhase::kNone) {
        held.push_back(AssignmentOf(*run, JobIndex(i)));
      }
    }
  }
  return held;
}

}  // namespace engine::core
