// SPDX-License-Identifier: Apache-2.0
// One step under way: takes an input, emits facts (each applied to the state at once), effects and
// refusals. Its methods are spread over files by machine: run_machine.cc, job_machine.cc,
// for_each.cc, attempt_machine.cc, worker_machine.cc, gates.cc, group_queue.cc, cancel.cc,
// placing.cc, deadlines.cc.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/apply.h"
#include "engine/core/core.h"
#include "engine/core/job_scope.h"
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
/// Beyond what an agent that hears nobody works on for.
inline constexpr base::Duration kUnheardMargin = std::chrono::minutes(1);
/// For the kill, before the attempt counts as lost.
inline constexpr base::Duration kKillMargin = std::chrono::seconds(10);

/// How an attempt ended and what came with it.
struct AttemptEnd {
  model::AttemptEnded fact;
  const model::ReportEnded* report = nullptr;  ///< null: nobody reported it
  bool at_no_expense = false;                  ///< followed at once, and counts as no retry
  bool began = false;                          ///< the worker had taken it up
  bool effect_may_be_done = false;             ///< what must not be done twice
};

/// What is known of a worker that is lost.
enum class WorkerEnd : std::uint8_t {
  kGone,        ///< nothing of it runs any more
  kSilent,      ///< it may go on where nobody hears it
  kWithEngine,  ///< it ended because the engine did: its attempts follow at no expense
};

/// All that a job asks of groups, worked out.
struct Claims {
  std::vector<model::GroupClaim> groups;
  std::string environment;
  std::string environment_url;
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
  void On(const model::DecideApproval& input);

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
  bool MayBegin(RunState& run, model::JobIndex job, const NeedsOutcome& needs);
  bool AdmitsCell(const RunState& run, model::SpecIndex spec) const;
  void ReadyJob(RunState& run, model::JobIndex job, model::AttemptNumber attempt,
                bool effect_may_be_done = false);
  void EndJob(RunState& run, model::JobIndex job, model::Status status, model::Reason reason);
  void EndJob(RunState& run, model::JobIndex job, std::shared_ptr<const model::JobResult> result);
  void FailFast(RunState& run, model::SpecIndex spec, model::JobIndex failed);

  // for_each.cc
  void ExpandJob(RunState& run, model::SpecIndex spec, const NeedsOutcome& needs);

  // attempt_machine.cc
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportStarted& report);
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportStepStarted& report);
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportStepEnded& report);
  void OnReport(RunState& run, const model::Lease& lease, const model::ReportEnded& report);
  bool RefuseLease(const RunState& run, const model::Lease& lease);
  void EndAttempt(RunState& run, AttemptEnd end);
  void LoseAttempt(RunState& run, model::JobIndex job, std::string cause, bool at_no_expense);
  void WaitOut(RunState& run, model::JobIndex job);
  void StopUnheard(RunState& run, model::JobIndex job, bool kill, const model::Reason& reason);
  bool EffectMayBeDone(const RunState& run, const AttemptEnd& end) const;
  void DecideJob(RunState& run, const AttemptEnd& end, const model::Reason& stop);
  void EndStoppedJob(RunState& run, const AttemptEnd& end, const model::Reason& stop);
  void RetryOrFail(RunState& run, const AttemptEnd& end);
  void FailJob(RunState& run, model::JobIndex job, model::Status status,
               const model::Reason& reason, const model::ReportEnded* report);
  void StopAttempt(RunState& run, model::JobIndex job, bool kill, const model::Reason& reason);

  // worker_machine.cc
  WorkerState* FindSession(model::WorkerId worker, model::SessionId session);
  void LoseWorker(WorkerState& worker, std::string cause, WorkerEnd end);

  // gates.cc: what stands between a job's needs and its attempts
  void Begin(RunState& run, model::JobIndex job);
  void AfterDelay(RunState& run, model::JobIndex job);
  void AfterApproval(RunState& run, model::JobIndex job);
  /// `before`: how the attempt before ended.
  void BeginAgain(RunState& run, model::JobIndex job, bool effect_may_be_done,
                  const model::Reason& before);
  void Ask(RunState& run, model::JobIndex job, model::AttemptNumber attempt, model::Reason reason);
  void OnDecided(RunState& run, model::JobIndex job, const model::DecideApproval& input);

  // group_queue.cc
  void Queue(RunState& run, model::JobIndex job, Claims claims);
  void QueueRun(RunState& run, std::vector<model::GroupClaim> claims);
  void Enter(const std::vector<model::GroupClaim>& claims, placement::Ticket ticket);
  void Supersede(const std::vector<model::GroupClaim>& claims, placement::Ticket newcomer);
  void CancelClaimant(placement::Ticket ticket, const model::Reason& reason);
  void LetIn(const model::GroupName& group);

  // cancel.cc
  void Cancel(RunState& run, bool kill, model::Reason reason);
  void CancelJob(RunState& run, model::JobIndex job, bool kill, bool keeps_waiting);
  bool DecidesToGoOn(RunState& run, model::JobIndex job);
  bool MayStillRun(const RunState& run, model::JobIndex job) const;

  // placing.cc
  void Place();
  void PlaceIn(PoolState& pool);
  static const ReadyRun* FirstReady(PlaceState& place);
  static const ReadyRun* NextReady(PoolState& pool);
  void NoteNoWorker(RunState& run, model::JobIndex job, const ReadyQueue& queue);
  void Assign(RunState& run, model::JobIndex job, WorkerState& worker);

  // deadlines.cc
  void OnDeadline(RunState& run, model::JobIndex job);

  model::AttemptKey KeyOf(const RunState& run, model::JobIndex job) const {
    return {.run = run.id(), .job = job, .attempt = run.job(job).attempt};
  }

  State& state_;
  base::Instant now_;
  Decisions& out_;
  Consequences consequences_;
  std::size_t next_released_ = 0;   ///< of `consequences_.released`: not evaluated yet
  std::vector<RunState*> touched_;  ///< may have ended
  std::size_t next_touched_ = 0;
};

/// How long a job may wait for room and for a worker.
base::Duration QueueTimeoutOf(const model::RareJobSettings& rare);

/// What the expressions of a job see. `uses_needs`: they read the results of its needs.
JobScope ScopeOf(RunState& run, model::JobIndex job, bool uses_needs, const expr::StatusView& view);
/// Evaluates a job's `if` for its needs; an error comes as text.
struct ConditionResult {
  bool holds = false;
  std::string error;
};
ConditionResult EvaluateCondition(RunState& run, model::JobIndex job, const NeedsOutcome& needs);
/// The entries of the job's `env` that hold expressions.
base::StatusOr<std::vector<model::NamedValue>> EvaluateJobEnv(RunState& run, model::JobIndex job);
/// The job's groups and its environment. An error names the key.
base::StatusOr<Claims> EvaluateClaims(RunState& run, model::JobIndex job);
/// The groups of the run itself; empty: it has none.
base::StatusOr<std::vector<model::GroupClaim>> EvaluateRunClaims(const model::Plan& plan,
                                                                 const model::SubmitRun& input);

/// `production, held by deploy` or `production, held by deploy of run 01jd…`, as somebody in
/// `seen_from` would say it.
std::string DescribeGroup(const State& state, const model::GroupName& group,
                          model::RunId seen_from);
/// A claimant as somebody in `seen_from` would call it: `deploy`, `run 01jd…`.
std::string DescribeClaimant(const State& state, placement::Ticket ticket, model::RunId seen_from);

/// The order to the worker that has the attempt of `job`.
model::Assignment AssignmentOf(const RunState& run, model::JobIndex job);
model::Lease LeaseOf(const RunState& run, model::JobIndex job);
model::DrainWorker DrainEffectOf(const WorkerState& worker);
/// The reason why a ready job of this spec, in its run's `queue`, has no worker.
model::Reason WaitsForWorkers(const State& state, const model::JobSpec& spec,
                              const ReadyQueue& queue);
/// What the workers of the pool lack, none of which fits; not empty.
std::string DescribeShortage(const State& state, const ReadyQueue& queue);
/// There are workers, and none of them offers what is asked for.
inline bool NothingFits(const ReadyQueue& queue) {
  return queue.place->fitting == 0 && queue.pool->workers > 0;
}
/// The order that `stop` stands for.
model::StopAttempt StopEffectOf(const RunState& run, const model::AttemptStopRequested& stop);

}  // namespace engine::core
