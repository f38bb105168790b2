// SPDX-License-Identifier: Apache-2.0
// Gives ready jobs to workers: oldest run first, in a run the most urgent job first, to the least
// loaded worker. A job that may not go ahead holds back those behind it: their turn comes when a
// slot is free.
#include <algorithm>
#include <utility>

#include "engine/core/stepper.h"
#include "engine/placement/ahead.h"

namespace engine::core {
namespace {

using base::AsIndex;
using model::JobIndex;

base::Duration KnownDuration(const RunState& run, JobIndex job) {
  const std::vector<base::Duration>& known = run.accepted.known_durations;
  const std::size_t spec = AsIndex(run.spec_of(job));
  return spec < known.size() ? known[spec] : base::Duration(0);
}

bool CanTake(const WorkerState& worker, const RunState& run, JobIndex job) {
  if (placement::HasRoom(worker.load(), 0)) {
    return true;
  }
  const auto expected = placement::ExpectedDuration(KnownDuration(run, job), worker.recent);
  return placement::HasRoom(worker.load(), placement::AheadDepth(expected));
}

bool IsNoted(const JobState& job, model::ReasonCode code) {
  return job.detail != nullptr &&
         std::any_of(job.detail->noted.begin(), job.detail->noted.end(),
                     [&](const model::JobWaitNoted& noted) { return noted.reason.code == code; });
}

}  // namespace

void Stepper::Place() {
  while (RunState* run = NextReadyRun()) {
    const JobIndex job = run->ready.top().job;
    if (state_.workers.empty() && !IsNoted(run->job(job), model::ReasonCode::kWaitsForSlot)) {
      Emit(model::JobWaitNoted{.run = run->id(),
                               .job = job,
                               .reason = {.code = model::ReasonCode::kWaitsForSlot,
                                          .subject = "no worker is connected"}});
    }
    if (state_.with_room.empty() || !CanTake(*state_.with_room.top(), *run, job)) {
      return;
    }
    Assign(*run, job, *state_.with_room.top());
  }
}

// Drops what left the queue without being assigned (cancelled, timed out, skipped).
RunState* Stepper::NextReadyRun() {
  while (!state_.with_ready.empty()) {
    RunState& run = *state_.with_ready.begin()->second;
    while (!run.ready.empty() && run.job(run.ready.top().job).phase != JobPhase::kReady) {
      run.ready.Pop();
    }
    if (!run.ready.empty()) {
      return &run;
    }
    state_.with_ready.erase(state_.with_ready.begin());
  }
  return nullptr;
}

void Stepper::Assign(RunState& run, JobIndex job, WorkerState& worker) {
  Emit(model::AttemptAssigned{
      .lease = {.key = KeyOf(run, job), .worker = worker.id(), .session = worker.joined.session}});
  out_.effects.emplace_back(model::DispatchAttempt{.assignment = AssignmentOf(run, job)});
}

}  // namespace engine::core
