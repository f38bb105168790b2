// SPDX-License-Identifier: Apache-2.0
// Takes a shard's lease when it is free, renews it, and tells when it is doubtful or gone. What may
// be believed stands in `lease_state.h`; here are the thread that asks, and the clock.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/base/status.h"
#include "engine/loop/lease_state.h"
#include "engine/ports/shard_lease.h"

namespace engine::loop {

struct LeaseKeeperOptions {
  ports::OwnerName me;
  LeaseTimes times;
  /// Called on the keeper's thread at each change of standing, the first one included; `epoch` is
  /// that of our own lease. After `kDeposed` nothing follows: a new keeper stands by again.
  std::function<void(Standing, model::Epoch epoch)> told;
};

class LeaseKeeper {
 public:
  /// `lease` belongs to the keeper until it is gone. Begins at once.
  LeaseKeeper(ports::ShardLease& lease, LeaseKeeperOptions options);
  /// Leaves the lease to run out: whatever else this process still does, nobody owns the shard
  /// before that.
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  /// Any thread. Worked out from the last renewal, so that it is right even while the store hangs
  /// and `told` is late.
  bool StillOwner() const;
  /// Any thread: whose lease it was when we last looked.
  ports::ShardOwner SeenOwner() const;

  /// Ends the lease at once, so that a standby need not wait. Only after everything that acts for
  /// the shard has stopped. Nothing is told any more.
  base::Status GiveUp();

 private:
  void Run();
  void Ask(LeaseMove::Kind kind);
  void Tell();
  void See(const ports::ShardOwner& owner);
  void StopThread();

  ports::ShardLease& lease_;
  LeaseKeeperOptions options_;
  LeaseState state_;  ///< the thread's
  Standing told_ = Standing::kStandby;
  bool told_once_ = false;
  std::atomic<base::Duration::rep> safe_until_{0};
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  ports::ShardOwner seen_;  ///< under `mutex_`
  std::thread thread_;
};

}  // namespace engine::loop
