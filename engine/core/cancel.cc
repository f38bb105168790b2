// SPDX-License-Identifier: Apache-2.0
// Cancelling a run, by a person or by its timeout. The first request ends jobs well and lets those
// run that decide alone (`always()`, `cancelled()`); the second ends everything.
#include <utility>

#include "engine/core/stepper.h"

namespace engine::core {
namespace {

using base::AsIndex;
using graph::NodeIndex;

// Per node: something that waits for it, perhaps through others, decides alone and has not been
// asked yet. Such a job must not begin before what it comes after has ended, so what waits between
// the two keeps waiting; it ends cancelled when its turn comes.
std::vector<bool> NodesBeforeCleanup(const RunState& run) {
  const graph::JobGraph& graph = run.graph();
  std::vector<bool> before(graph.node_count(), false);
  for (std::size_t i = graph.Order().size(); i > 0; --i) {
    const NodeIndex node = graph.Order()[i - 1];
    for (const NodeIndex dependent : graph.Dependents(node)) {
      const bool cleanup =
          graph.IsSpec(dependent) && run.node(dependent).open_needs != 0 &&
          run.plan().specs[AsIndex(graph.SpecAt(dependent))].condition.decides_alone;
      before[AsIndex(node)] = before[AsIndex(node)] || before[AsIndex(dependent)] || cleanup;
    }
  }
  return before;
}

}  // namespace

using model::JobIndex;
using model::ReasonCode;
using model::RefusalCode;
using model::Status;

void Stepper::On(const model::CancelRun& input) {
  RunState* run = state_.FindRun(input.run);
  if (run == nullptr) {
    return Refuse(RefusalCode::kUnknownRun, input.run, "the run is not known");
  }
  const bool kill = input.kill || run->phase == RunPhase::kStopping;
  if (!kRunMachine.CanFire(run->phase, kill ? RunTrigger::kKilled : RunTrigger::kCancelled)) {
    return run->is_open()
               ? Refuse(RefusalCode::kRepeated, input.run, "the run is being killed already")
               : Refuse(RefusalCode::kAlreadyEnded, input.run, "the run has ended");
  }
  Cancel(*run, kill,
         {.code = kill ? ReasonCode::kKilled : ReasonCode::kCancelRequested, .subject = input.by});
}

void Stepper::Cancel(RunState& run, bool kill, model::Reason reason) {
  // Nothing of a run that still waits for room has begun: there is nothing to clean up either.
  const bool nothing_began = run.phase == RunPhase::kQueued;
  Emit(model::RunCancelRequested{.run = run.id(), .kill = kill, .reason = std::move(reason)});
  Touch(run);
  const std::vector<bool> before_cleanup = NodesBeforeCleanup(run);
  for (std::uint32_t i = 0; i < run.jobs.size(); ++i) {
    const model::SpecIndex spec = run.spec_of(JobIndex(i));
    const bool keeps_waiting =
        !kill && before_cleanup[AsIndex(spec)] && run.node_of(spec).open_needs != 0;
    CancelJob(run, JobIndex(i), kill || nothing_began, keeps_waiting && !nothing_began);
  }
}

void Stepper::CancelJob(RunState& run, JobIndex job, bool kill, bool keeps_waiting) {
  JobState& state = run.job(job);
  const model::Reason& why = run.cancelled->reason;
  switch (state.phase) {
    case JobPhase::kWaiting:
      // What decides alone is asked when its needs have ended; see `Evaluate`.
      if (kill || (!keeps_waiting && !model::SpecOf(run.plan(), job).condition.decides_alone)) {
        EndJob(run, job, Status::kCancelled, {.code = ReasonCode::kRunEnding});
      }
      return;
    case JobPhase::kDelayed:
    case JobPhase::kAsking:
    case JobPhase::kQueued:
    case JobPhase::kReady:
    case JobPhase::kBackedOff:
      if (kill || !DecidesToGoOn(run, job)) {
        EndJob(run, job, Status::kCancelled,
               HasBegun(state) ? why : model::Reason{.code = ReasonCode::kRunEnding});
      }
      return;
    case JobPhase::kPlaced:
    case JobPhase::kRunning:
      if (kill || !DecidesToGoOn(run, job)) {
        StopAttempt(run, job, kill, kill ? model::Reason{.code = ReasonCode::kKilled} : why);
      }
      return;
    case JobPhase::kSettling:
    case JobPhase::kEnded:
      return;
  }
}

// A job whose `if` decides alone is asked again, now that the run is cancelled, so that it does not
// matter whether the cancel came just before or just after the job was released.
bool Stepper::DecidesToGoOn(RunState& run, JobIndex job) {
  if (!model::SpecOf(run.plan(), job).condition.decides_alone) {
    return false;
  }
  const ConditionResult result = EvaluateCondition(run, job, JudgeNeeds(run, run.spec_of(job)));
  return result.error.empty() && result.holds;
}

bool Stepper::MayStillRun(const RunState& run, JobIndex job) const {
  return !run.is_ending() || (run.phase == RunPhase::kStopping &&
                              model::SpecOf(run.plan(), job).condition.decides_alone);
}

}  // namespace engine::core
