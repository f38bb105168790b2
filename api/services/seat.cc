// SPDX-License-Identifier: Apache-2.0
#include "api/services/seat.h"

#include <utility>

namespace api::services {

void Seat::OnEngine(std::function<void(Shard*)> work) {
  post_([this, work = std::move(work)] { work(shard()); });
}

void Seat::Take(Shard shard) {
  shard_ = std::make_unique<Shard>(shard);
}

void Seat::Leave() {
  shard_.reset();
}

void Seat::OwnerSeen(std::string address) {
  const std::lock_guard lock(mutex_);
  owner_ = std::move(address);
}

std::string Seat::owner() const {
  const std::lock_guard lock(mutex_);
  return owner_;
}

}  // namespace api::services
