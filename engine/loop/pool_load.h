// SPDX-License-Identifier: Apache-2.0
// How much work there is for a pool, read off the core.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "engine/core/core.h"
#include "engine/model/ids.h"
#include "engine/model/place.h"

namespace engine::loop {

struct PoolLoad {
  bool is_known = false;      ///< false: nobody has looked yet
  std::uint32_t waiting = 0;  ///< attempts that no worker has, and one more like those could have
  std::uint32_t unfit = 0;    ///< those that ask for what no such worker offers
  std::map<model::WorkerId, std::uint32_t> assigned;  ///< attempts of each worker of the pool
  std::set<model::WorkerId> draining;                 ///< of these
  /// Workers that are lost, with the attempts that they may still run and nobody else may begin.
  std::map<model::WorkerId, std::uint32_t> lost;
};

/// `offer`: of a worker that the pool could launch.
PoolLoad LoadOf(const core::EngineCore& core, const std::string& pool,
                const model::WorkerOffer& offer);

}  // namespace engine::loop
