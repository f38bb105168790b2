// SPDX-License-Identifier: Apache-2.0
// A run as its own log tells it, read without touching it: for `show`, `logs`, `explain`, `retry`
// and `cancel`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apps/state_dir.h"
#include "apps/view/board.h"
#include "engine/base/status.h"
#include "engine/ports/run_store.h"

namespace apps {

struct RecordedRun {
  std::string folder;
  view::Board board;
  engine::model::PlanRef plan;  ///< as it was accepted; the board's has grown with the run
  engine::model::PlanDigest digest;
};

/// Every fact of `run` in `store`, in order, on a board; the folder stays empty. `NotFound` when
/// nothing of the run was ever accepted.
engine::base::StatusOr<RecordedRun> ReadRun(engine::ports::RunStore& store,
                                            engine::model::RunId run);

/// The run that `name` means: `latest` (of those that were accepted), an id, or the beginning of
/// one.
engine::base::StatusOr<engine::model::RunId> FindRun(const StateDir& state, std::string_view name);

engine::base::StatusOr<RecordedRun> ReadRun(const StateDir& state, engine::model::RunId run);
/// Finds the run that `name` means and reads it.
engine::base::StatusOr<RecordedRun> ReadRun(std::string_view name);

}  // namespace apps
