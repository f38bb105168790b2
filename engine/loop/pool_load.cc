// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/pool_load.h"

#include <memory>

#include "engine/core/state.h"
#include "engine/placement/fit.h"

namespace engine::loop {

PoolLoad LoadOf(const core::EngineCore& core, const std::string& pool,
                const model::WorkerOffer& offer) {
  PoolLoad load{.is_known = true};
  const auto found = core.state().pools.find(pool);
  if (found == core.state().pools.end()) {
    return load;
  }
  for (const std::unique_ptr<core::PlaceState>& place : found->second.places) {
    if (place == nullptr || place->with_ready.empty()) {
      continue;
    }
    std::uint32_t& count = placement::Fits(place->need, offer) ? load.waiting : load.unfit;
    for (const auto& [run, ready] : place->with_ready) {
      // A few may be ready no longer; they go at the next placing.
      count += static_cast<std::uint32_t>(ready.queue->jobs.size());
    }
  }
  for (const auto& [id, worker] : core.state().workers) {
    if (worker->pool != &found->second) {
      continue;
    }
    const auto attempts = static_cast<std::uint32_t>(worker->attempts.size());
    if (worker->phase == core::WorkerPhase::kLost) {
      load.lost[id] = attempts;
    } else {
      load.assigned[id] = attempts;
      if (worker->draining.has_value()) {
        load.draining.insert(id);
      }
    }
  }
  return load;
}

}  // namespace engine::loop
