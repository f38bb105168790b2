// SPDX-License-Identifier: Apache-2.0
// Frees, once in a while, what nobody wants any more of a server's artifacts and caches: the owner
// of the shard does so, and nobody else. The log is read on the archive's thread, chunks are
// removed on a thread of its own; what belongs to the engine's thread is said below.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "api/services/seat.h"
#include "apps/network/store_ledger.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "store/artifacts/local_store.h"
#include "store/caches/folder_caches.h"

namespace apps::network {

struct StoreSweepOptions {
  engine::base::Duration first = std::chrono::minutes(1);  ///< after it became the owner
  engine::base::Duration every = std::chrono::hours(1);
  /// Chunks that somebody relied on within such a time stay: what refers to them may be on its way.
  engine::base::Duration grace = std::chrono::hours(24);
};

/// Removes what neither `ledger` wants at `now` nor a cache holds.
engine::base::StatusOr<store::artifacts::SweptChunks> SweepStore(
    StoreLedger& ledger, store::caches::FolderCaches& caches, store::artifacts::LocalStore& chunks,
    engine::base::Instant now, engine::base::Duration grace);

class StoreSweep {
 public:
  /// `chunks` and `caches` outlive it; `ledger` is a file's path.
  StoreSweep(boost::asio::io_context& io, api::services::Seat& seat,
             store::artifacts::LocalStore& chunks, store::caches::FolderCaches& caches,
             std::string ledger, StoreSweepOptions options = {});
  ~StoreSweep();
  StoreSweep(const StoreSweep&) = delete;
  StoreSweep& operator=(const StoreSweep&) = delete;

  // On the engine's thread.
  void Begin();
  /// What is under way goes on to its end: it removes nothing that an owner after us could want.
  void End();

 private:
  /// What one ownership knows; shared with work that may outlast it.
  struct Tenure {
    StoreLedger ledger;  ///< of whoever set `is_busy`
    bool is_loaded = false;
    std::atomic<bool> is_busy = false;
    std::atomic<bool> has_ended = false;
  };
  void Arm(engine::base::Duration time);
  void Look();
  void Sweep(const std::shared_ptr<Tenure>& tenure);

  api::services::Seat& seat_;
  store::artifacts::LocalStore& chunks_;
  store::caches::FolderCaches& caches_;
  const std::string path_;
  const StoreSweepOptions options_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Tenure> tenure_;  ///< null: another server owns the shard
  boost::asio::thread_pool pool_{1};
};

}  // namespace apps::network
