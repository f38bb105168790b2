// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/transfer_room.h"

#include <utility>

namespace api::bulk {

TransferRoom::Place TransferRoom::MakePlace() {
  return Place(this, [](void* room) { static_cast<TransferRoom*>(room)->Leave(); });
}

void TransferRoom::Enter(std::function<void(Place)> begin) {
  {
    const std::lock_guard lock(mutex_);
    if (free_ == 0) {
      waiting_.push_back(std::move(begin));
      return;
    }
    --free_;
  }
  begin(MakePlace());
}

void TransferRoom::Leave() {
  std::function<void(Place)> next;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next(MakePlace());
}

}  // namespace api::bulk
