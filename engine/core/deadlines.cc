// SPDX-License-Identifier: Apache-2.0
// What happens when a deadline passes. A job has one at a time: of the queue while it waits for a
// worker, of its timeout while it runs, of the order to stop, or of its backoff.
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
      return LoseAttempt(run, job, "the attempt did not end when it was killed", false);
  }
  if (state.phase == JobPhase::kBackedOff) {
    return ReadyJob(run, job, state.attempt + 1);
  }
  CHECK(state.phase == JobPhase::kReady);
  FailJob(run, job, Status::kTimedOut, {.code = ReasonCode::kQueueTimeout}, nullptr);
}

}  // namespace engine::core
