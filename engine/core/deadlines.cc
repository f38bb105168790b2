// SPDX-License-Identifier: Apache-2.0
// What happens when a deadline passes. A job has one at a time: of its delay, of an approval, of
// the queue while it waits for room or for a worker, of its timeout while it runs, of the order to
// stop, of an attempt that nobody hears, or of its backoff.
#include <utility>

#include "engine/base/check.h"
#include "engine/core/stepper.h"

namespace engine::core {

using model::JobIndex;
using model::ReasonCode;
using model::Status;

void Stepper::On(const model::DeadlinePassed& /*input*/) {
  while (!state_.deadlines.empty() && state_.deadlines.top().at <= now_) {
    const DeadlineEntry due = state_.deadlines.top();
    OnDeadline(*due.run, due.job);
  }
}

// Moves the deadline on or takes it away, or `On` would never end.
void Stepper::OnDeadline(RunState& run, JobIndex job) {
  if (job == kNoJob) {
    return Cancel(run, false, {.code = ReasonCode::kRunTimeout});
  }
  const JobState& state = run.job(job);
  switch (state.attempt_phase) {
    case AttemptPhase::kNone:
      break;
    case AttemptPhase::kAssigned:
      return StopAttempt(run, job, false, {.code = ReasonCode::kQueueTimeout});
    case AttemptPhase::kRunning:
      return StopAttempt(run, job, false, {.code = ReasonCode::kJobTimeout});
    case AttemptPhase::kRecalled:
    case AttemptPhase::kStopping: {
      const model::Reason reason = state.detail->stop->reason;
      return StopAttempt(run, job, true, reason);
    }
    case AttemptPhase::kKilling:
      if (model::IsExclusive(model::SpecOf(run.plan(), job))) {
        return WaitOut(run, job);
      }
      return LoseAttempt(run, job, "the attempt did not end when it was killed", false);
    case AttemptPhase::kUnheard:
      return LoseAttempt(run, job, "nothing was heard of it for too long", false);
  }
  if (state.phase == JobPhase::kBackedOff) {
    const model::Reason before = state.detail->backed_off->reason;
    return BeginAgain(run, job, state.detail->effect_may_be_done, before);
  }
  if (state.phase == JobPhase::kDelayed) {
    return AfterDelay(run, job);
  }
  if (state.phase == JobPhase::kAsking) {
    return FailJob(run, job, Status::kTimedOut, {.code = ReasonCode::kApprovalTimeout}, nullptr);
  }
  CHECK(state.phase == JobPhase::kReady || state.phase == JobPhase::kQueued);
  const ReadyQueue& queue = run.queue_of(run.spec_of(job));
  const bool unfit = state.phase == JobPhase::kReady && NothingFits(queue);
  FailJob(run, job, Status::kTimedOut,
          {.code = ReasonCode::kQueueTimeout,
           .subject = unfit ? DescribeShortage(state_, queue) : std::string()},
          nullptr);
}

}  // namespace engine::core
