// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_shard_lease.h"

#include <utility>

namespace store::memory {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

class MemoryShardLease : public ports::ShardLease {
 public:
  explicit MemoryShardLease(MemoryLeaseTable& table) : table_(table) {
    const std::lock_guard lock(table_.mutex_);
    table_.open_.push_back(this);
  }
  ~MemoryShardLease() override {
    const std::lock_guard lock(table_.mutex_);
    std::erase(table_.open_, this);
  }

  StatusOr<ports::LeaseTry> Try(const ports::OwnerName& me, base::Duration length) override;
  StatusOr<bool> Renew(model::Epoch epoch, base::Duration length) override;
  Status GiveUp(model::Epoch epoch) override;
  StatusOr<ports::ShardOwner> Owner() override;
  void Wait(base::Duration at_most) override;
  void Wake() override;

 private:
  friend class MemoryLeaseTable;
  ports::ShardOwner Seen() const {
    return {table_.epoch_, table_.owner_, table_.lease_until_ - table_.now_};
  }

  MemoryLeaseTable& table_;
  bool woken_ = false;  ///< under the table's mutex
};

StatusOr<ports::LeaseTry> MemoryShardLease::Try(const ports::OwnerName& me, base::Duration length) {
  const std::lock_guard lock(table_.mutex_);
  RETURN_IF_ERROR(table_.failure_);
  const bool taken = table_.lease_until_ <= table_.now_;
  if (taken) {
    table_.epoch_ = model::Epoch(table_.epoch_.value() + 1);
    table_.owner_ = me;
    table_.lease_until_ = table_.now_ + length;
  }
  return ports::LeaseTry{taken, Seen()};
}

StatusOr<bool> MemoryShardLease::Renew(model::Epoch epoch, base::Duration length) {
  const std::lock_guard lock(table_.mutex_);
  RETURN_IF_ERROR(table_.failure_);
  if (table_.epoch_ != epoch) {
    return false;
  }
  table_.lease_until_ = table_.now_ + length;
  return true;
}

Status MemoryShardLease::GiveUp(model::Epoch epoch) {
  const std::lock_guard lock(table_.mutex_);
  RETURN_IF_ERROR(table_.failure_);
  if (table_.epoch_ == epoch) {
    table_.owner_ = {};
    table_.lease_until_ = table_.now_;
    table_.WakeAll();
  }
  return base::OkStatus();
}

StatusOr<ports::ShardOwner> MemoryShardLease::Owner() {
  const std::lock_guard lock(table_.mutex_);
  RETURN_IF_ERROR(table_.failure_);
  return Seen();
}

// The time that passes here is real, whatever the table's is: who moves that wakes us.
void MemoryShardLease::Wait(base::Duration at_most) {
  std::unique_lock lock(table_.mutex_);
  table_.changed_.wait_for(lock, at_most, [this] { return woken_; });
  woken_ = false;
}

void MemoryShardLease::Wake() {
  const std::lock_guard lock(table_.mutex_);
  woken_ = true;
  table_.changed_.notify_all();
}

std::unique_ptr<ports::ShardLease> MemoryLeaseTable::Open() {
  return std::make_unique<MemoryShardLease>(*this);
}

void MemoryLeaseTable::FailWith(Status status) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(status);
}

void MemoryLeaseTable::TakeOver(const ports::OwnerName& by, base::Duration length) {
  const std::lock_guard lock(mutex_);
  epoch_ = model::Epoch(epoch_.value() + 1);
  owner_ = by;
  lease_until_ = now_ + length;
}

void MemoryLeaseTable::Advance(base::Duration by) {
  const std::lock_guard lock(mutex_);
  now_ += by;
  WakeAll();
}

void MemoryLeaseTable::WakeAll() {
  for (MemoryShardLease* lease : open_) {
    lease->woken_ = true;
  }
  changed_.notify_all();
}

}  // namespace store::memory
