// SPDX-License-Identifier: Apache-2.0
// The feeds of all open runs, and of some that are over. On the engine's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/services/run_feed.h"
#include "engine/base/status.h"
#include "engine/loop/observer.h"

namespace api::services {

using FeedRef = std::shared_ptr<const RunFeed>;

struct RunFeedsOptions {
  std::size_t ended_bytes_max = 64 << 20;  ///< of feeds that are over and kept
  std::size_t ended_max = 1024;
  /// A run's end is durable; to be answered with `CloseRun`.
  std::function<void(engine::model::RunId)> on_ended;
};

class RunFeeds final : public engine::loop::Observer {
 public:
  explicit RunFeeds(RunFeedsOptions options) : options_(std::move(options)) {}
  /// Whoever waits is told that there is no feed any more.
  ~RunFeeds() override;

  /// The plan of a run that will be accepted or was refused in the meantime.
  void Expect(engine::model::RunId run, engine::model::PlanRef plan);
  void Forget(engine::model::RunId run);

  /// A run that was open when this server took over, or one that is over and was read back.
  void Put(std::shared_ptr<RunFeed> feed);

  void OnDurable(std::uint64_t first_seq, std::span<const engine::model::Fact> facts) override;

  /// Null when it is neither open nor kept.
  FeedRef Find(engine::model::RunId run);
  /// The open or kept run with that key.
  FeedRef FindKey(std::string_view idempotency_key) const;
  std::vector<engine::model::RunId> Open() const;

  /// Calls `ready` once, with the feed as soon as it has more events than `position` or is complete
  /// (never from inside the call), or with null when it is lost.
  using Ready = std::function<void(FeedRef)>;
  using Ticket = std::uint64_t;
  Ticket Wait(engine::model::RunId run, std::uint64_t position, Ready ready);
  void Cancel(Ticket ticket);

 private:
  struct Waiter {
    engine::model::RunId run;
    Ready ready;
  };
  struct Kept {
    std::shared_ptr<RunFeed> feed;
    std::list<engine::model::RunId>::iterator place;  ///< in `ended_`, once it is complete
  };
  RunFeed* Of(const engine::model::Fact& fact);
  void Keep(Kept& kept);
  void Evict();
  void Wake(engine::model::RunId run);

  RunFeedsOptions options_;
  std::map<engine::model::RunId, Kept> feeds_;
  std::map<std::string, engine::model::RunId, std::less<>> by_key_;
  std::map<engine::model::RunId, engine::model::PlanRef> expected_;
  std::list<engine::model::RunId> ended_;  ///< oldest use first
  std::size_t ended_bytes_ = 0;
  std::map<Ticket, Waiter> waiters_;
  std::multimap<engine::model::RunId, Ticket> waiting_;
  Ticket next_ticket_ = 1;
};

}  // namespace api::services
