// SPDX-License-Identifier: Apache-2.0
// All logs that a server has in hand, by run: what the arrivals' thread, the archiver and the
// readers share. Guarded by one lock that is never held over a call to the disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/log_state.h"
#include "store/logs/archive_folder.h"
#include "store/logs/stored_log.h"

namespace store::logs {

using SteadyTime = std::chrono::steady_clock::time_point;

/// The logs of one run.
struct RunLogs {
  std::map<engine::model::LogKey, StoredLog> logs;
  /// Each log under the number of its last change, so that a reader finds what is new to it.
  std::map<std::uint64_t, engine::model::LogKey> changes;
  std::map<engine::model::LogKey, std::uint64_t> change_of;
  std::uint64_t last_change = 0;
  /// Called once, at the next change.
  std::vector<std::function<void()>> waiting;
  std::set<engine::model::LogKey> unarchived;  ///< of which something is not in the archive
  SteadyTime waits_since = SteadyTime::max();  ///< the oldest of that
  SteadyTime used = SteadyTime::min();
  std::uint32_t readers = 0;

  /// The log has something new; its waiters are moved to `woken`.
  void Change(const engine::model::LogKey& log, std::vector<std::function<void()>>& woken);
};

class LogBook {
 public:
  LogBook(const ArchiveFolder& archive, std::uint64_t memory_bytes_max)
      : archive_(archive), memory_bytes_max_(memory_bytes_max) {}

  /// Calls `use` under the lock; a run that is not in hand is read from the archive first. `use`
  /// must be quick.
  engine::base::Status Visit(engine::model::RunId run, const std::function<void(RunLogs&)>& use);
  /// The runs in hand.
  void VisitAll(const std::function<void(engine::model::RunId, RunLogs&)>& use);

  /// Takes in what the arrivals held when this server began.
  engine::base::Status Recover(FoundLogs found);
  /// Looks once more at the archive: a server before this one may still have written to it.
  engine::base::Status Reload(engine::model::RunId run);

  /// Counts `bytes` that an extent keeps in memory; what was kept longest is dropped for them.
  /// Under the lock.
  void CountMemory(const engine::model::LogKey& log, std::uint64_t begin, std::uint64_t bytes);
  /// Drops runs that nobody needs in memory.
  void Forget(SteadyTime unused_since);

 private:
  using Runs = std::map<engine::model::RunId, RunLogs>;
  static RunLogs FromParts(FoundLogs found);
  void DropMemory();

  const ArchiveFolder& archive_;
  const std::uint64_t memory_bytes_max_;
  std::mutex mutex_;
  Runs runs_;
  struct Remembered {
    engine::model::LogKey log;
    std::uint64_t begin = 0;
    std::uint64_t bytes = 0;
  };
  std::deque<Remembered> remembered_;
  std::uint64_t memory_bytes_ = 0;
};

}  // namespace store::logs
