// SPDX-License-Identifier: Apache-2.0
// Frees what nobody wants any more of this user's artifacts and caches: caches by last use and by
// size, artifacts by `expire` after the end of their job, and then the chunks that neither refers
// to. What a run that has not ended refers to always stays, and so does what was stored lately.
#pragma once

#include <cstdint>

#include "apps/state_dir.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace apps {

struct SweepOptions {
  /// Once in so long; in between a call does nothing.
  engine::base::Duration every = std::chrono::hours(1);
  /// Chunks that somebody relied on within such a time stay: what refers to them may be on its way.
  engine::base::Duration grace = std::chrono::hours(24);
};

struct SweepOutcome {
  bool is_due = false;  ///< false: nothing was done, it was done lately or is being done
  std::uint32_t caches = 0;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
};

/// `now` is the wall clock. An error leaves what it could not judge: a run that cannot be read
/// keeps every chunk.
engine::base::StatusOr<SweepOutcome> SweepState(const StateDir& state, engine::base::Instant now,
                                                const SweepOptions& options = {});

}  // namespace apps
