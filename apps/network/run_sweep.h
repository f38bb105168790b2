// SPDX-License-Identifier: Apache-2.0
// Drops runs that are older than `keep` in server.yml: their days in the store, then their logs.
// The owner of the shard does so, at once and then once in a while, and nobody else; on a thread
// and a connection of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "api/services/seat.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/loop/engine_loop.h"
#include "engine/model/ids.h"
#include "engine/ports/run_retention.h"

namespace apps::network {

/// Removes the archived logs of runs that were accepted before `day`, but for those of `kept` days.
/// `folder` has a folder for each run; anything else in it is left alone. Returns how many.
engine::base::StatusOr<std::uint64_t> RemoveArchives(const std::string& folder, std::int64_t day,
                                                     const std::set<std::int64_t>& kept);

struct RunSweepOptions {
  engine::base::Duration keep{0};  ///< whole days, at least one
  std::string archives;            ///< folder of the runs' archived logs
  engine::base::Duration every = std::chrono::hours(1);
};

class RunSweep {
 public:
  RunSweep(boost::asio::io_context& io, api::services::Seat& seat,
           std::unique_ptr<engine::ports::RunRetention> retention, RunSweepOptions options);
  ~RunSweep();
  RunSweep(const RunSweep&) = delete;
  RunSweep& operator=(const RunSweep&) = delete;

  // On the engine's thread.
  void Begin(engine::loop::EngineLoop& loop);
  /// What is under way goes on to its end: it removes nothing that an owner after us could want.
  void End();

 private:
  void Arm(engine::base::Duration time);
  void Look();
  void Sweep(const std::vector<engine::model::RunId>& open);

  api::services::Seat& seat_;
  const std::unique_ptr<engine::ports::RunRetention> retention_;
  const RunSweepOptions options_;
  boost::asio::steady_timer timer_;
  engine::loop::EngineLoop* loop_ = nullptr;  ///< null: another server owns the shard
  boost::asio::thread_pool pool_{1};
};

}  // namespace apps::network
