// SPDX-License-Identifier: Apache-2.0
// How much work there is for a pool, read off the core.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "engine/core/core.h"
#include "engine/model/ids.h"

namespace engine::loop {

struct PoolLoad {
  std::uint32_t waiting = 0;                          ///< attempts of the pool that no worker has
  std::map<model::WorkerId, std::uint32_t> assigned;  ///< attempts of each worker of the pool
  std::set<model::WorkerId> draining;                 ///< of these
};

PoolLoad LoadOf(const core::EngineCore& core, const std::string& pool);

}  // namespace engine::loop
