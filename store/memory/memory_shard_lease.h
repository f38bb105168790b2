// SPDX-License-Identifier: Apache-2.0
// Leases of one shard in memory, for tests of servers without a database. `MemoryLeaseTable` is
// what the servers share; its time passes when it is told.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/time.h"
#include "engine/ports/shard_lease.h"

namespace store::memory {

class MemoryShardLease;

/// Any thread. Outlives the leases that are opened on it.
class MemoryLeaseTable {
 public:
  std::unique_ptr<engine::ports::ShardLease> Open();
  /// Every question fails with this until it is OK again: the database is out of reach.
  void FailWith(engine::base::Status status);
  /// Another server takes the shard, as if the lease had run out at this moment.
  void TakeOver(const engine::ports::OwnerName& by, engine::base::Duration length);
  /// Time passes, and every `Wait` under way ends.
  void Advance(engine::base::Duration by);

 private:
  friend class MemoryShardLease;

  void WakeAll();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Under `mutex_`:
  engine::base::Status failure_;
  engine::model::Epoch epoch_;
  engine::ports::OwnerName owner_;
  engine::base::Duration now_{0};
  engine::base::Duration lease_until_{0};
  std::vector<MemoryShardLease*> open_;
};

}  // namespace store::memory
