// SPDX-License-Identifier: Apache-2.0
// Gives ready jobs to workers, pool by pool: oldest run first, in a run the most urgent job first,
// to the least loaded worker. A job that may not go ahead holds back those behind it: their turn
// comes when a slot is free.
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

/// Whether something is left.
bool DropUnready(RunState& run, ReadyQueue& queue) {
  while (!queue.jobs.empty() && run.job(queue.jobs.top().job).phase != JobPhase::kReady) {
    queue.jobs.Pop();
  }
  return !queue.jobs.empty();
}

}  // namespace

void Stepper::Place() {
  for (auto& [name, pool] : state_.pools) {
    PlaceIn(pool);
  }
}

void Stepper::PlaceIn(PoolState& pool) {
  RunState* run = nullptr;
  while (const ReadyQueue* queue = NextReady(pool, run)) {
    const JobIndex job = queue->jobs.top().job;
    if (pool.workers == 0) {
      return NoteNoWorker(*run, job, pool);
    }
    if (pool.with_room.empty() || !CanTake(*pool.with_room.top(), *run, job)) {
      return;
    }
    Assign(*run, job, *pool.with_room.top());
  }
}

void Stepper::NoteNoWorker(RunState& run, JobIndex job, const PoolState& pool) {
  model::Reason reason = WaitsForWorkers(model::SpecOf(run.plan(), job), pool);
  if (!IsNoted(run.job(job), reason.code)) {
    Emit(model::JobWaitNoted{.run = run.id(), .job = job, .reason = std::move(reason)});
  }
}

// Drops what left the queue without being assigned (cancelled, timed out, skipped).
ReadyQueue* Stepper::NextReady(PoolState& pool, RunState*& run) {
  while (!pool.with_ready.empty()) {
    run = pool.with_ready.begin()->second;
    for (ReadyQueue& queue : run->ready) {
      if (queue.pool == &pool && DropUnready(*run, queue)) {
        return &queue;
      }
    }
    pool.with_ready.erase(pool.with_ready.begin());
  }
  return nullptr;
}

void Stepper::Assign(RunState& run, JobIndex job, WorkerState& worker) {
  Emit(model::AttemptAssigned{
      .lease = {.key = KeyOf(run, job), .worker = worker.id(), .session = worker.joined.session}});
  out_.effects.emplace_back(model::DispatchAttempt{.assignment = AssignmentOf(run, job)});
}

}  // namespace engine::core
