// SPDX-License-Identifier: Apache-2.0
// A shard's log in memory, for tests and the simulation. `MemoryDisk` is what survives a crash of
// the process that opened a store on it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/run_store.h"

namespace store::memory {

/// What is durable. Shared by every store opened on it, as a file is.
struct MemoryDisk {
  engine::model::Epoch epoch;
  std::uint64_t seq = 0;
  std::vector<std::pair<std::uint64_t, engine::ports::FactRow>> log;  ///< seq after the row, row
  std::map<engine::model::PlanDigest, engine::model::PlanRef> plans;
  std::vector<std::shared_ptr<const engine::model::Snapshot>> snapshots;  ///< oldest first
};

struct MemoryStoreOptions {
  /// Facts, plans and snapshots take the way through `store/codec`, so that a loss in the encoding
  /// shows in whatever test runs above.
  bool through_codec = false;
};

std::unique_ptr<engine::ports::RunStore> OpenMemoryRunStore(std::shared_ptr<MemoryDisk> disk,
                                                            const MemoryStoreOptions& options = {});

}  // namespace store::memory
