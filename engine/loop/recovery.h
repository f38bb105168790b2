// SPDX-License-Identifier: Apache-2.0
// Builds a core from what is durable: the newest snapshot, then the facts after it, through the
// same `Apply` that made them true the first time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/core/core.h"
#include "engine/ports/run_store.h"

namespace engine::loop {

struct RecoveredCore {
  std::unique_ptr<core::EngineCore> core;
  std::uint64_t seq = 0;             ///< facts in the log
  base::Instant last_at{};           ///< of the newest fact
  std::uint64_t snapshot_seq = 0;    ///< 0: there was none
  std::uint64_t snapshot_facts = 0;  ///< how many it holds
  std::vector<ports::FactRow> tail;  ///< what stands behind the snapshot
};

/// The store's errors; `DataLoss` too when a run's plan is missing.
base::StatusOr<RecoveredCore> RecoverCore(ports::RunStore& store);

/// What a core that lost its way goes on with.
struct Reread {
  RecoveredCore recovered;
  std::vector<ports::FactRow> missed;  ///< stored behind the fact `seen`; `seen` ends a commit
};
/// As `RecoverCore`; `DataLoss` too when the log is shorter than `seen`.
base::StatusOr<Reread> RereadCore(ports::RunStore& store, std::uint64_t seen);

}  // namespace engine::loop
