// SPDX-License-Identifier: Apache-2.0
// What a server's store drops by age: whole days of runs, with their log, history, plans and keys.
// Threads: an instance is used by one thread at a time; beside those that commit and read.
#pragma once

#include <cstdint>
#include <set>
#include <span>

#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace engine::ports {

struct DroppedDays {
  std::uint64_t dropped = 0;
  std::set<std::int64_t> kept;  ///< days that are old enough and still there
};

class RunRetention {
 public:
  virtual ~RunRetention() = default;

  /// Drops the days (since 1970) before `before` on which no run of `open` was accepted, and no
  /// other that has not ended; but nothing that a recovery would read: days whose log goes beyond
  /// the older of the two snapshots stay for now. Then plans that no run names any more. Of the
  /// deployments that go, the newest success of each environment of each source is kept. `open`:
  /// all that the engine knows. Repeat-safe; not OK: some days may have been dropped.
  virtual base::StatusOr<DroppedDays> DropDays(std::int64_t before,
                                               std::span<const model::RunId> open) = 0;
};

}  // namespace engine::ports
