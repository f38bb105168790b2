// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/pool_load.h"

#include "engine/core/state.h"

namespace engine::loop {

PoolLoad LoadOf(const core::EngineCore& core, const std::string& pool) {
  PoolLoad load;
  for (const auto& [run, state] : core.state().with_ready) {
    // A few may be ready no longer; they go at the next placing.
    load.waiting += static_cast<std::uint32_t>(state->ready.size());
  }
  for (const auto& [id, worker] : core.state().workers) {
    if (worker->joined.pool == pool && worker->phase != core::WorkerPhase::kAbsent) {
      load.assigned[id] = static_cast<std::uint32_t>(worker->attempts.size());
    }
  }
  return load;
}

}  // namespace engine::loop
