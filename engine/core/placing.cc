// SPDX-License-Identifier: Apache-2.0
// Gives ready jobs to workers, pool by pool: oldest run first, in a run the most urgent job first,
// to the least loaded worker that fits. What waits holds back those that ask for the same (their
// place), and:
// - one that may not go ahead of a free slot holds back the going ahead of all others: its turn
//   comes when a slot is free;
// - one that waits for parts of a machine (`resources`) holds back those who would take such parts
//   of a worker that it fits, so that a large job is not passed for ever by small ones.
// One that fits no worker at all holds back nobody else.
#include <algorithm>
#include <memory>
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

bool CanTake(const WorkerState& worker, const RunState& run, JobIndex job, bool may_go_ahead) {
  if (placement::HasRoom(worker.load(), 0)) {
    return true;
  }
  if (!may_go_ahead) {
    return false;
  }
  const auto expected = placement::ExpectedDuration(KnownDuration(run, job), worker.recent);
  return placement::HasRoom(worker.load(), placement::AheadDepth(expected));
}

bool AsksForParts(const PlaceState& place) {
  return place.need.resources != model::Resources();
}

/// Somebody before it waits for parts of this worker.
bool IsKept(const PoolState& pool, const PlaceState& place, const WorkerState& worker) {
  return AsksForParts(place) &&
         std::ranges::any_of(pool.places, [&](const std::unique_ptr<PlaceState>& other) {
           return other != nullptr && other->held && AsksForParts(*other) &&
                  worker.seats[other->number].fits;
         });
}

/// That it waits for a worker, for whatever reason: one fact a job is enough.
bool IsNoted(const JobState& job) {
  using enum model::ReasonCode;
  return job.detail != nullptr &&
         std::ranges::any_of(job.detail->noted, [](const model::JobWaitNoted& noted) {
           return noted.reason.code == kWaitsForSlot || noted.reason.code == kWaitsForPool ||
                  noted.reason.code == kWaitsForFit;
         });
}

/// Whether something is left.
bool DropUnready(RunState& run, ReadyQueue& queue) {
  while (!queue.jobs.empty() && run.job(queue.jobs.top().job).phase != JobPhase::kReady) {
    queue.jobs.Pop();
  }
  return !queue.jobs.empty();
}

bool GoesBefore(const ReadyRun& a, const ReadyRun& b) {
  return a.run == b.run ? a.queue->jobs.top() < b.queue->jobs.top() : a.run->id() < b.run->id();
}

}  // namespace

void Stepper::Place() {
  for (auto& [name, pool] : state_.pools) {
    PlaceIn(pool);
  }
}

void Stepper::PlaceIn(PoolState& pool) {
  for (const std::unique_ptr<PlaceState>& place : pool.places) {
    if (place != nullptr) {
      place->held = false;
    }
  }
  bool may_go_ahead = true;
  while (const ReadyRun* first = NextReady(pool)) {
    RunState& run = *first->run;
    PlaceState& place = *first->queue->place;
    const JobIndex job = first->queue->jobs.top().job;
    if (place.fitting == 0) {
      NoteNoWorker(run, job, *first->queue);
      place.held = true;
    } else if (place.with_room.empty() || IsKept(pool, place, *place.with_room.top().worker)) {
      place.held = true;
    } else if (!CanTake(*place.with_room.top().worker, run, job, may_go_ahead)) {
      place.held = true;
      may_go_ahead = false;
    } else {
      Assign(run, job, *place.with_room.top().worker);
    }
  }
}

void Stepper::NoteNoWorker(RunState& run, JobIndex job, const ReadyQueue& queue) {
  if (!IsNoted(run.job(job))) {
    Emit(model::JobWaitNoted{
        .run = run.id(),
        .job = job,
        .reason = WaitsForWorkers(state_, model::SpecOf(run.plan(), job), queue)});
  }
}

// Drops what left the queue without being assigned (cancelled, timed out, skipped).
const ReadyRun* Stepper::FirstReady(PlaceState& place) {
  while (!place.with_ready.empty()) {
    const ReadyRun& first = place.with_ready.begin()->second;
    if (DropUnready(*first.run, *first.queue)) {
      return &first;
    }
    place.with_ready.erase(place.with_ready.begin());
  }
  return nullptr;
}

// Of the places that are not held.
const ReadyRun* Stepper::NextReady(PoolState& pool) {
  const ReadyRun* next = nullptr;
  for (const std::unique_ptr<PlaceState>& place : pool.places) {
    const ReadyRun* first = place == nullptr || place->held ? nullptr : FirstReady(*place);
    if (first != nullptr && (next == nullptr || GoesBefore(*first, *next))) {
      next = first;
    }
  }
  return next;
}

void Stepper::Assign(RunState& run, JobIndex job, WorkerState& worker) {
  Emit(model::AttemptAssigned{
      .lease = {.key = KeyOf(run, job), .worker = worker.id(), .session = worker.joined.session}});
  out_.effects.emplace_back(model::DispatchAttempt{.assignment = AssignmentOf(run, job)});
}

}  // namespace engine::core
