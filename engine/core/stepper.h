// SPDX-License-Identifier: Apache-2.0
// One step under way: takes an input, emits facts (each applied to the state at once), effects and
// refusals. Its methods are spread over files by machine: run_machine.cc, job_machine.cc,
// attempt_machine.cc, worker_machine.cc, cancel.cc, placing.cc, deadlines.cc.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/apply.h"
#include "engine/core/core.h"
#include "engine/core/needs.h"
#include "engine/core/state.h"
#include "engine/model/effect.h"
#include "engine/model/fact.h"
#include "engine/model/input.h"

namespace engine::core {

/// Silence after the mark of suspicion until the lease ends: 12 s after the last byte, of which 6
/// are over by then.
inline constexpr base::Duration kSuspicion = std::chrono::seconds(6);
/// Beyond what the worker was given to end an attempt, before the order is repeated as a kill.
inline constexpr base::Duration kStopMargin = std::chrono::seconds(5);
/// For the kill, before the attempt counts as lost.
inline constexpr base::Duration kKillMargin = std::chrono::seconds(10);

/// How an attempt ended and what came with it.
struct AttemptEnd {
  model::AttemptEnded fact;
  const model::ReportEnded* report = nullptr;  ///< null: nobody reported it
  bool at_no_expense = false;                  ///< followed at once, and counts as no retry
  bool began = false;                          ///< the worker had taken it up
};

class Stepper {
 public:
  Stepper(State& state, base::Instant now, Decisions& out)
      : state_(state), now_(std::max(now, state.last_at)), out_(out) {}

  void On(const model::SubmitRun& input);
  void On(const model::CancelRun& input);
  void On(const model::CloseRun& input);
  void On(const model::WorkerConnected& input);
  void On(const model::WorkerSuspected& input);
  void On(const model::WorkerReturned& input);
  void On(const model::WorkerSilent& input);
  void On(const model::WorkerGone& input);
  void On(const model::AttemptReported& input);
  void On(const model::DeadlinePassed& input);
  void On(const model::DrainRequested& input);

  /// What follows from the facts so far: releases, ends of runs, assignments.
  void Settle();

 private:
  // Shared.
  void Emit(model::FactBody body);
  void Refuse(model::RefusalCode code, model::RunId run, std::string message);
  /// Strictly later than now, whatever a plan says.
  base::Instant After(base::Duration delay) const;
  void Touch(RunState& run);

  // run_machine.cc
  std::string ProblemWith(const model::SubmitRun& input, const PlanProgram& program) const;
  void EndAtOnce(RunState& run, const model::SubmitRun& input);
  void EndRunIfDone(RunState& run);

  // job_machine.cc
  void Evaluate(RunState& run, model::SpecIndex spec);
  void EvaluateCell(RunState& run, model::JobIndex job, const NeedsOutcome& needs);
  bool AdmitsCell(const RunState& run, model::SpecIndex spec) const;
  void ReadyJob(RunState& run, model::JobIndex job, model::AttemptNumber attempt);
  void EndJob(RunState& run, model::JobIndex job, model::Status status, model::Reason reason);
  void EndJob(RunState& run, model::JobIndex job, std::shared_ptr<const model::JobResult> result);
  void FailFast(RunState& run, model::SpecIndex spec, model::JobIndex failed);

  // attempt_machine.cc
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportStarted& report);
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportStepStarted& report);
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportStepEnded& report);
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportEnded& report);
  bool RefuseLease(const RunState& run, const model::Lease& lease);
  void EndAttempt(RunState& run, AttemptEnd end);
  void LoseAttempt(RunState& run, model::JobIndex job, std::string cause, bool at_no_expense);
  void DecideJob(RunState& run, const AttemptEnd& end, const model::Reason& stop);
  void EndStoppedJob(RunState& run, const AttemptEnd& end, const model::Reason& stop);
  void RetryOrFail(RunState& run, const AttemptEnd& end);
  void FailJob(RunState& run, model::JobIndex job, model::Status status,
               const model::Reason& reason, const model::ReportEnded* report);
  void StopAttempt(RunState& run, model::JobIndex job, bool kill, const model::Reason& reason);

  // worker_machine.cc
  WorkerState* FindSession(model::WorkerId worker, model::SessionId session);
  void LoseWorker(WorkerState& worker, std::string cause, bool at_no_expense);

  // cancel.cc
  void Cancel(RunState& run, bool kill, model::Reason reason);
  void CancelJob(RunState& run, model::JobIndex job, bool keeps_waiting);
  bool DecidesToGoOn(RunState& run, model::JobIndex job);
  bool MayStillRun(const RunState& run, model::JobIndex job) const;

  // placing.cc
  void Place();
  void PlaceIn(PoolState& pool);
  ReadyQueue* NextReady(PoolState& pool, RunState*& run);
  void NoteNoWorker(RunState& run, model::JobIndex job, const PoolState& pool);
  void Assign(RunState& run, model::JobIndex job, WorkerState& worker);

  // deadlines.cc
  void OnDeadline(RunState& run, model::JobIndex job);

  model::AttemptKey KeyOf(const RunState& run, model::JobIndex job) const {
    return {.run = run.id(), .job = job, .attempt = run.job(job).attempt};
  }

  State& state_;
  base::Instant now_;
  Decisions& out_;
  std::vector<Released> released_;  ///< not evaluated yet
  std::vector<RunState*> touched_;  ///< may have ended
};

/// Evaluates a job's `if` for its needs; an error comes as text.
struct ConditionResult {
  bool holds = false;
  std::string error;
};
ConditionResult EvaluateCondition(RunState& run, model::JobIndex job, const NeedsOutcome& needs);
/// The entries of the job's `env` that hold expressions.
base::StatusOr<std::vector<model::NamedValue>> EvaluateJobEnv(RunState& run, model::JobIndex job);

/// The order to the worker that has the attempt of `job`.
model::Assignment AssignmentOf(const RunState& run, model::JobIndex job);
model::Lease LeaseOf(const RunState& run, model::JobIndex job);
model::DrainWorker DrainEffectOf(const WorkerState& worker);
/// The reason why a ready job of this spec has no worker.
model::Reason WaitsForWorkers(const model::JobSpec& spec, const PoolState& pool);
/// The order that `stop` stands for.
model::StopAttempt StopEffectOf(const RunState& run, const model::AttemptStopRequested& stop);

}  // namespace engine::core
