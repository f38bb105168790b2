// SPDX-License-Identifier: Apache-2.0
// Bounds how many chunks are in memory at once. Who finds no room waits for its turn without
// reading, so gRPC's flow control makes the other end wait, too. Threads: any.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace api::bulk {

class TransferRoom {
 public:
  explicit TransferRoom(std::size_t chunks_max) : free_(chunks_max) {}

  /// Room for one chunk; given back when the last copy is gone.
  using Place = std::shared_ptr<void>;
  /// `begin` is called with a place: now, or when one becomes free. If it waits its caller may be
  /// gone by then; it then lets the place go.
  void Enter(std::function<void(Place)> begin);

 private:
  Place MakePlace();
  void Leave();
  std::mutex mutex_;
  std::size_t free_;
  std::deque<std::function<void(Place)>> waiting_;
};

}  // namespace api::bulk
