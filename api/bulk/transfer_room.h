// SPDX-License-Identifier: Apache-2.0
// Bounds how many chunks are in memory at once. Who finds no room waits for its turn without
// reading, so gRPC's flow control makes the other end wait, too. Who has a place and moves nothing
// while others wait is cut off: it goes on later from where it was. Threads: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace api::bulk {

class TransferRoom {
 public:
  class Held;
  /// Room for one chunk; given back when the last copy is gone.
  using Place = std::shared_ptr<Held>;

  /// `stalled_after`: without a byte. Looked after on `executor`, only while somebody waits.
  TransferRoom(std::size_t chunks_max, std::chrono::milliseconds stalled_after,
               const boost::asio::any_io_executor& executor);
  /// Looks after nobody any more; so that the executor's work can end.
  void Close();

  /// `begin` is called with a place: now, or when one becomes free. If it waits its caller may be
  /// gone by then; it then lets the place go.
  void Enter(std::function<void(Place)> begin);

 private:
  using Clock = std::chrono::steady_clock;
  Place MakePlace();
  void Leave(const Held* held);
  void LookLater();  ///< with `mutex_` held
  void Look();

  const std::chrono::milliseconds stalled_after_;
  std::mutex mutex_;
  std::size_t free_;
  std::map<const Held*, std::weak_ptr<Held>> held_;
  std::deque<std::function<void(Place)>> waiting_;
  boost::asio::steady_timer timer_;
  bool is_looking_ = false;
  bool closed_ = false;
};

class TransferRoom::Held {
 public:
  explicit Held(TransferRoom& room) : room_(room) {}
  ~Held() { room_.Leave(this); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  /// From here on it counts when nothing moves: then `cut_off` is called, once, on any thread.
  void Arm(std::function<void()> cut_off);
  void Moved();
  /// When this returns `cut_off` is not called any more; also from inside of it.
  void Disarm();

 private:
  friend class TransferRoom;
  void CutOffIfStalled(Clock::time_point moved_before);

  TransferRoom& room_;
  std::recursive_mutex mutex_;
  std::function<void()> cut_off_;
  Clock::time_point moved_;
};

}  // namespace api::bulk
