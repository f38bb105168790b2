// SPDX-License-Identifier: Apache-2.0
// What the store knows of runs that are over, read on a thread of its own so that nobody who looks
// holds up the engine.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "api/services/run_feed.h"
#include "api/services/work_queue.h"
#include "engine/base/status.h"
#include "engine/ports/run_history.h"
#include "engine/ports/run_store.h"

namespace api::services {

class Archive {
 public:
  /// `store` is for reading only, beside the one that commits.
  Archive(std::unique_ptr<engine::ports::RunHistory> history,
          std::unique_ptr<engine::ports::RunStore> store);

  /// Calls `read` on the archive's thread. `ResourceExhausted`: too many wait.
  using Read = std::function<void(engine::ports::RunHistory&, engine::ports::RunStore&)>;
  engine::base::Status Do(Read read);

 private:
  std::unique_ptr<engine::ports::RunHistory> history_;
  std::unique_ptr<engine::ports::RunStore> store_;
  WorkQueue queue_;
};

/// The whole feed of a run, from the log. `NotFound` when it was never accepted.
engine::base::StatusOr<std::shared_ptr<RunFeed>> ReadFeed(engine::ports::RunStore& store,
                                                          engine::model::RunId run);
/// The feeds of the `runs` (ascending) that are not closed.
engine::base::StatusOr<std::vector<std::shared_ptr<RunFeed>>> ReadOpenFeeds(
    engine::ports::RunStore& store, std::span<const engine::model::RunId> runs);

}  // namespace api::services
