// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "engine/base/check.h"
#include "engine/core/applier.h"

namespace engine::core {

void Applier::On(const model::WorkerJoined& fact) {
  std::unique_ptr<WorkerState>& worker = state_.workers[fact.worker];
  CHECK_MSG(worker == nullptr, "a worker joined that is still present");
  worker = std::make_unique<WorkerState>();
  kWorkerMachine.Fire(worker->phase, WorkerTrigger::kJoined);
  worker->joined = fact;
  worker->recent = std::move(worker->joined.recent);
  worker->joined.recent.clear();
  worker->pool = &state_.UsePool(fact.pool);
  ++worker->pool->workers;
  worker->pool->alone += fact.alone ? 1 : 0;
  for (const std::unique_ptr<PlaceState>& place : worker->pool->places) {
    if (place != nullptr) {
      State::SeatAt(*worker, *place);
    }
  }
}

void Applier::On(const model::WorkerMarkedSuspect& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  kWorkerMachine.Fire(worker.phase, WorkerTrigger::kSuspected);
  worker.lease_ends = fact.lease_ends;
  UpdateRoom(worker);
}

void Applier::On(const model::WorkerRecovered& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  kWorkerMachine.Fire(worker.phase, WorkerTrigger::kRecovered);
  worker.lease_ends = base::Instant();
  UpdateRoom(worker);
}

void Applier::On(const model::WorkerLost& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  kWorkerMachine.Fire(worker.phase, WorkerTrigger::kLost);
  worker.lease_ends = base::Instant();
  UpdateRoom(worker);
  --worker.pool->workers;
  worker.pool->alone -= worker.joined.alone ? 1 : 0;
  CountFitting(worker, -1);
  worker.pool->draining -= worker.draining.has_value() ? 1 : 0;
  worker.draining.reset();
  if (worker.attempts.empty()) {
    Remove(worker);
  }
}

void Applier::On(const model::WorkerMarkedDraining& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  worker.pool->draining += worker.draining.has_value() ? 0 : 1;
  worker.draining = fact;
  UpdateRoom(worker);
}

}  // namespace engine::core
