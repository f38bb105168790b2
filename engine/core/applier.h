// SPDX-License-Identifier: Apache-2.0
// How each fact changes the state: one function a fact, by what it is about in apply_*.cc. Used by
// `ApplyFact` alone.
#pragma once

#include <cstdint>

#include "engine/base/check.h"
#include "engine/core/apply.h"

namespace engine::core {

class Applier {
 public:
  Applier(State& state, Consequences* consequences) : state_(state), consequences_(consequences) {}

  void On(const model::RunAccepted& fact, const model::PlanRef& plan);
  void On(const model::RunCancelRequested& fact);
  void On(const model::RunEnded& fact);
  void On(const model::RunClosed& fact);
  void On(const model::JobReadied& fact);
  void On(const model::JobWaitNoted& fact);
  void On(const model::JobBackedOff& fact);
  void On(const model::JobEnded& fact);
  void On(const model::AttemptAssigned& fact);
  void On(const model::AttemptStarted& fact);
  void On(const model::StepStarted& fact);
  void On(const model::StepEnded& fact);
  void On(const model::AttemptStopRequested& fact);
  void On(const model::AttemptEnded& fact);
  void On(const model::WorkerJoined& fact);
  void On(const model::WorkerMarkedSuspect& fact);
  void On(const model::WorkerRecovered& fact);
  void On(const model::WorkerLost& fact);
  void On(const model::WorkerMarkedDraining& fact);
  void On(const model::RunQueued& fact);
  void On(const model::RunAdmitted& fact);
  void On(const model::JobDelayed& fact);
  void On(const model::ApprovalRequested& fact);
  void On(const model::ApprovalDecided& fact);
  void On(const model::JobQueued& fact);
  void On(const model::AttemptUnheard& fact);
  void On(const model::JobsExpanded& fact);

 private:
  RunState& RunOf(model::RunId run) {
    RunState* found = state_.FindRun(run);
    CHECK_MSG(found != nullptr, "a fact about a run that is not open");
    return *found;
  }
  WorkerState& WorkerOf(model::WorkerId worker) {
    WorkerState* found = state_.FindWorker(worker);
    CHECK_MSG(found != nullptr, "a fact about a worker that is not present");
    return *found;
  }
  JobState& JobOf(RunState& run, model::JobIndex job) {
    CHECK_MSG(job.value() < run.jobs.size(), "a fact about a job that is not in the plan");
    return run.job(job);
  }
  JobState& LiveAttempt(RunState& run, const model::AttemptKey& key) {
    JobState& job = JobOf(run, key.job);
    CHECK_MSG(job.attempt == key.attempt, "a fact about an attempt that is not the newest");
    return job;
  }

  void Release(RunState& run, model::SpecIndex spec) {
    if (consequences_ != nullptr) {
      consequences_->released.push_back({.run = &run, .spec = spec});
    }
  }
  void Activate(RunState& run, model::JobIndex job);
  void Admit(placement::Ticket ticket);
  void LeaveGroups(placement::Ticket ticket);
  void NoteFreed(placement::Ticket ticket);
  void SetDeadline(RunState& run, model::JobIndex job, base::Instant at);
  void ClearDeadline(RunState& run, model::JobIndex job);
  static void UpdateRoom(WorkerState& worker);
  static void CountFitting(const WorkerState& worker, std::int32_t more);
  void Detach(const RunState& run, model::SpecIndex spec, JobState& job);
  void Remove(WorkerState& worker);
  void EndTimeoutInFinally(RunState& run, model::JobIndex job, model::StepIndex step);
  void EndNodes(RunState& run, model::SpecIndex spec);
  void CountEnd(RunState& run, graph::NodeIndex index, const model::JobResult& result);
  void SkipDecidedCells(RunState& run, model::SpecIndex spec);
  void ReleaseEmpty(RunState& run);

  State& state_;
  Consequences* consequences_;
};

/// What few jobs have, made when first asked for.
JobDetail& DetailOf(JobState& job);
JobGates& GatesOf(JobState& job);

}  // namespace engine::core
