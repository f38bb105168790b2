// SPDX-License-Identifier: Apache-2.0
// The state as the facts that rebuild it: what is superseded (steps and attempts that ended, older
// retries) is left out. Their `at` is the newest one's: when things happened stands in the log.
#include <utility>

#include "engine/base/check.h"
#include "engine/core/core.h"
#include "engine/core/state.h"
#include "engine/model/expand.h"

namespace engine::core {
namespace {

using model::JobIndex;

// One whose start says that such a step has begun; which one does not matter.
model::StepIndex FirstOnceStep(const model::JobSpec& spec) {
  model::StepIndex step(0);
  while (!model::StepAt(spec, step)->effects_once) {
    step = model::StepIndex(step.value() + 1);
  }
  return step;
}

class SnapshotWriter {
 public:
  explicit SnapshotWriter(const State& state) : state_(state) {}

  std::vector<model::Fact> Write() {
    for (const auto& [id, worker] : state_.workers) {
      Add(*worker);
    }
    for (const auto& [id, run] : state_.runs) {
      Add(*run);
    }
    // After the attempts: those are only assigned to workers that are present.
    for (const auto& [id, worker] : state_.workers) {
      if (worker->phase == WorkerPhase::kSuspected) {
        Emit(model::WorkerMarkedSuspect{.worker = id, .lease_ends = worker->lease_ends});
      } else if (worker->phase == WorkerPhase::kLost) {
        Emit(model::WorkerLost{.worker = id, .reason = {}});
      }
    }
    for (const model::WorkerMarkedDraining& drain : drains_) {
      Emit(drain);
    }
    return std::move(facts_);
  }

 private:
  void Emit(model::FactBody body) {
    facts_.push_back({.at = state_.last_at, .body = std::move(body)});
  }

  void Add(const WorkerState& worker) {
    model::WorkerJoined joined = worker.joined;
    joined.recent = worker.recent;
    Emit(std::move(joined));
    if (worker.draining.has_value()) {
      drains_.emplace_back(*worker.draining);
    }
  }

  void Add(const RunState& run) {
    Emit(run.accepted);
    if (run.queued.has_value()) {
      Emit(*run.queued);
    }
    if (run.admitted) {
      Emit(model::RunAdmitted{.run = run.id()});
    }
    for (model::Expansion& expansion : model::ExpansionsOf(run.plan())) {
      Emit(model::JobsExpanded{.run = run.id(), .expansion = std::move(expansion)});
    }
    for (std::uint32_t i = 0; i < run.jobs.size(); ++i) {
      AddJob(run, JobIndex(i));
    }
    if (run.cancelled.has_value()) {
      Emit(*run.cancelled);
    }
    if (run.killed.has_value()) {
      Emit(*run.killed);
    }
    if (run.ended.has_value()) {
      Emit(*run.ended);
    }
  }

  void AddJob(const RunState& run, JobIndex index);
  void AddGates(const JobState& job);
  void AddAttempt(const RunState& run, JobIndex index, const JobState& job);
  base::Instant DeadlineOf(const JobState& job) const {
    return job.deadline_position == kNotInHeap ? state_.last_at
                                               : state_.deadlines.at(job.deadline_position).at;
  }

  const State& state_;
  std::vector<model::Fact> facts_;
  std::vector<model::WorkerMarkedDraining> drains_;
};

void SnapshotWriter::AddJob(const RunState& run, JobIndex index) {
  const JobState& job = run.job(index);
  if (job.detail != nullptr) {
    for (const model::JobWaitNoted& noted : job.detail->noted) {
      Emit(noted);
    }
    AddGates(job);
  }
  switch (job.phase) {
    case JobPhase::kDelayed:
      return Emit(model::JobDelayed{.run = run.id(), .job = index, .until = DeadlineOf(job)});
    case JobPhase::kWaiting:
    case JobPhase::kBackedOff:
    case JobPhase::kAsking:
    case JobPhase::kQueued:
      return;
    case JobPhase::kEnded:
      return Emit(model::JobEnded{.run = run.id(), .job = index, .result = job.result});
    case JobPhase::kReady:
    case JobPhase::kPlaced:
    case JobPhase::kRunning:
      return AddAttempt(run, index, job);
    case JobPhase::kSettling:
      CHECK_MSG(false, "a snapshot in the middle of a step");
  }
}

// In the order in which the job went through them.
void SnapshotWriter::AddGates(const JobState& job) {
  const auto emit = [this](const auto& fact) {
    if (fact.has_value()) {
      Emit(*fact);
    }
  };
  const JobGates* gates = job.gates();
  if (gates != nullptr) {
    emit(gates->asked);
    emit(gates->decided);
    emit(gates->queued);
  }
  emit(job.detail->backed_off);
  if (gates != nullptr) {
    emit(gates->asked_again);
    emit(gates->decided_again);
  }
}

void SnapshotWriter::AddAttempt(const RunState& run, JobIndex index, const JobState& job) {
  // Without one it runs `finally` steps: the fact about those takes it away again.
  const base::Instant deadline = DeadlineOf(job);
  model::JobReadied readied{
      .run = run.id(), .job = index, .attempt = job.attempt, .queue_deadline = deadline, .env = {}};
  if (job.detail != nullptr) {
    readied.env = job.detail->env;
    readied.effect_may_be_done = job.detail->effect_may_be_done;
  }
  Emit(std::move(readied));
  if (job.phase == JobPhase::kReady) {
    return;
  }
  const model::AttemptKey key{.run = run.id(), .job = index, .attempt = job.attempt};
  Emit(model::AttemptAssigned{
      .lease = {.key = key, .worker = job.worker->id(), .session = job.worker->joined.session}});
  if (job.phase == JobPhase::kRunning) {
    Emit(model::AttemptStarted{.key = key, .slot = job.slot, .deadline = deadline});
    if (job.once_begun) {
      Emit(model::StepStarted{.key = key, .step = FirstOnceStep(model::SpecOf(run.plan(), index))});
    }
    if (job.detail != nullptr) {
      for (const std::uint32_t step : job.detail->background) {
        Emit(model::StepStarted{.key = key, .step = model::StepIndex(step)});
      }
    }
    if (job.next_step > 0 && !job.in_step && !job.RunsBeside(job.next_step - 1)) {
      Emit(model::StepEnded{.key = key, .step = model::StepIndex(job.next_step - 1)});
    }
    if (job.in_step) {
      Emit(model::StepStarted{.key = key, .step = model::StepIndex(job.next_step)});
    }
  }
  if (job.detail != nullptr && job.detail->stop.has_value()) {
    Emit(*job.detail->stop);
  }
  if (job.attempt_phase == AttemptPhase::kUnheard) {
    Emit(model::AttemptUnheard{.key = key, .deadline = deadline});
  }
}

}  // namespace

model::Snapshot EngineCore::TakeSnapshot() const {
  return {.seq = 0, .facts = SnapshotWriter(*state_).Write()};
}

}  // namespace engine::core
