// SPDX-License-Identifier: Apache-2.0
// The run's row in `index.db` and the durations seen, for `runs` and for the order of later runs. A
// convenience: when it cannot be written, the run does not suffer.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "apps/state_dir.h"
#include "apps/view/board.h"
#include "engine/base/status.h"
#include "engine/ports/run_queries.h"

namespace apps {

class RunRecord {
 public:
  explicit RunRecord(const StateDir& state) : state_(state) {}
  ~RunRecord();
  RunRecord(const RunRecord&) = delete;
  RunRecord& operator=(const RunRecord&) = delete;

  /// Per spec, 0 where unknown; empty when nothing is known.
  std::vector<engine::base::Duration> KnownDurations(const engine::model::Plan& plan,
                                                     const engine::model::RunContext& context);

  /// Saves the row of an open run, on a thread of its own: a flush must not hold up the first step.
  void Begin(engine::ports::RunRow row);
  /// Saves how it ended (or stands), what it deployed, and the durations of attempts that
  /// succeeded.
  engine::base::Status End(const view::Board& board, engine::ports::RunRow row);

 private:
  engine::base::StatusOr<engine::ports::RunIndex*> Index();

  StateDir state_;
  std::unique_ptr<engine::ports::RunIndex> index_;
  std::thread beginning_;
};

/// What the index shows of a run as the board knows it; owned by this process while it is open.
engine::ports::RunRow RowOf(const view::Board& board, const std::string& folder);

}  // namespace apps
