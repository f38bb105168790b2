// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/pool_load.h"

#include "engine/core/state.h"

namespace engine::loop {

PoolLoad LoadOf(const core::EngineCore& core, const std::string& pool) {
  PoolLoad load{.is_known = true};
  const auto found = core.state().pools.find(pool);
  if (found == core.state().pools.end()) {
    return load;
  }
  for (const auto& [run, state] : found->second.with_ready) {
    for (const core::ReadyQueue& queue : state->ready) {
      // A few may be ready no longer; they go at the next placing.
      load.waiting +=
          queue.pool == &found->second ? static_cast<std::uint32_t>(queue.jobs.size()) : 0;
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
