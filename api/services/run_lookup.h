// SPDX-License-Identifier: Apache-2.0
// Finds the run that a caller means, open or over, in memory or in the store.
#pragma once

#include <functional>
#include <string>

#include "api/services/run_feeds.h"
#include "api/services/seat.h"
#include "engine/base/status.h"

namespace api::services {

/// `done` comes once, on the engine's thread, perhaps from inside the call, with the run's feed.
/// `NotFound` lists the newest runs, `InvalidArgument`: the beginning of several; `Unavailable`:
/// the shard was lost. `name` is an id, the beginning of one, or `latest`.
using FoundRun = std::function<void(engine::base::StatusOr<FeedRef>)>;
void FindRun(Seat& seat, Shard& shard, const std::string& name, FoundRun done);

}  // namespace api::services
