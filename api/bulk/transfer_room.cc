// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/transfer_room.h"

#include <utility>
#include <vector>

namespace api::bulk {

TransferRoom::TransferRoom(std::size_t chunks_max, std::chrono::milliseconds stalled_after,
                           const boost::asio::any_io_executor& executor)
    : stalled_after_(stalled_after), free_(chunks_max), timer_(executor) {}

void TransferRoom::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  timer_.cancel();
}

TransferRoom::Place TransferRoom::MakePlace() {
  auto place = std::make_shared<Held>(*this);
  const std::lock_guard lock(mutex_);
  held_.emplace(place.get(), place);
  return place;
}

void TransferRoom::Enter(std::function<void(Place)> begin) {
  {
    const std::lock_guard lock(mutex_);
    if (free_ == 0) {
      waiting_.push_back(std::move(begin));
      LookLater();
      return;
    }
    --free_;
  }
  begin(MakePlace());
}

void TransferRoom::Leave(const Held* held) {
  std::function<void(Place)> next;
  {
    const std::lock_guard lock(mutex_);
    held_.erase(held);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next(MakePlace());
}

void TransferRoom::LookLater() {
  if (is_looking_ || closed_) {
    return;
  }
  is_looking_ = true;
  timer_.expires_after(stalled_after_ / 4);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      Look();
    }
  });
}

void TransferRoom::Look() {
  std::vector<Place> places;
  {
    const std::lock_guard lock(mutex_);
    is_looking_ = false;
    if (waiting_.empty()) {
      return;
    }
    LookLater();
    for (const auto& [held, weak] : held_) {
      if (Place place = weak.lock()) {
        places.push_back(std::move(place));
      }
    }
  }
  for (const Place& place : places) {
    place->CutOffIfStalled(Clock::now() - stalled_after_);
  }
}

void TransferRoom::Held::Arm(std::function<void()> cut_off) {
  const std::lock_guard lock(mutex_);
  cut_off_ = std::move(cut_off);
  moved_ = Clock::now();
}

void TransferRoom::Held::Moved() {
  const std::lock_guard lock(mutex_);
  moved_ = Clock::now();
}

void TransferRoom::Held::Disarm() {
  const std::lock_guard lock(mutex_);
  cut_off_ = nullptr;
}

// What is cut off may come back here at once, to disarm.
void TransferRoom::Held::CutOffIfStalled(Clock::time_point moved_before) {
  const std::lock_guard lock(mutex_);
  if (cut_off_ != nullptr && moved_ <= moved_before) {
    const std::function<void()> cut_off = std::exchange(cut_off_, nullptr);
    cut_off();
  }
}

}  // namespace api::bulk
