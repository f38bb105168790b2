// SPDX-License-Identifier: Apache-2.0
// Whether this server owns the shard, and how calls reach the engine if it does.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"

namespace engine::loop {
class EngineLoop;
}

namespace api::services {

class Archive;
class Intake;
class RunFeeds;

/// What serves the shard while this server owns it. All on the engine's thread, all outlive their
/// time in the seat.
struct Shard {
  engine::loop::EngineLoop* loop = nullptr;
  RunFeeds* feeds = nullptr;
  Archive* archive = nullptr;
  Intake* intake = nullptr;
  /// For people: what is done so that a pool gets workers, or why nothing is. May be empty.
  std::function<std::string(std::string_view pool, const engine::model::PlaceNeed& need)>
      pool_outlook;
  /// Test results by their digest; blocks, any thread. May be empty: there are none.
  std::function<engine::base::StatusOr<std::string>(const engine::base::Digest&)> read_tests;
};

class Seat {
 public:
  /// `post` performs on the engine's thread, in order, never from inside the call. Any thread.
  using Post = std::function<void(std::function<void()>)>;
  explicit Seat(Post post) : post_(std::move(post)) {}

  /// Any thread. `work` comes on the engine's thread, with null when another server owns the shard.
  void OnEngine(std::function<void(Shard*)> work);

  // On the engine's thread.
  void Take(Shard shard);
  void Leave();
  Shard* shard() { return shard_ ? shard_.get() : nullptr; }

  /// Any thread: where the owner is, as far as it is known.
  void OwnerSeen(std::string address);
  std::string owner() const;

 private:
  Post post_;
  std::unique_ptr<Shard> shard_;  ///< the engine's thread
  mutable std::mutex mutex_;
  std::string owner_;  ///< under `mutex_`
};

}  // namespace api::services
