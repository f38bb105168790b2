// SPDX-License-Identifier: Apache-2.0
// Keeps one pool at the size that `placement::PlanPool` says: launches, drains and terminates
// through the provider, and says why. It keeps nothing that `WorkerProvider::List` and the registry
// could not rebuild. On the engine's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/loop/pool_load.h"
#include "engine/model/ids.h"
#include "engine/model/place.h"
#include "engine/placement/pool_size.h"
#include "engine/ports/clock.h"
#include "engine/ports/worker_provider.h"

namespace engine::loop {

struct PoolDriverParts {
  std::string pool;
  placement::PoolSpec spec;
  std::vector<model::Label> labels;  ///< of its workers
  model::Epoch epoch;                ///< of this owner; stands in the names of its launches
  std::vector<std::string> servers;  ///< for the agents to dial

  // All outlive the driver.
  ports::WorkerProvider* provider = nullptr;
  ports::Clock* clock = nullptr;

  std::function<PoolLoad()> load;
  /// A fresh join token for a launch; `done` later, on this thread.
  std::function<void(const ports::LaunchId& launch, const std::string& pool,
                     std::function<void(base::StatusOr<std::string>)> done)>
      make_token;
  /// Tells the worker to leave when it has nothing.
  std::function<void(model::WorkerId worker, const std::string& reason)> drain;
  /// The provider says that the worker is no more. `noted` when that is durable; may never come.
  std::function<void(model::WorkerId worker, const std::string& cause, std::function<void()> noted)>
      gone;
  /// `OnWakeUp` is due then, unless another call of this comes first.
  std::function<void(base::Instant at)> arm;
  /// Each decision, for people and for the log.
  std::function<void(const placement::PoolAction& action)> note;
};

class PoolDriver {
 public:
  explicit PoolDriver(PoolDriverParts parts) : parts_(std::move(parts)) {}
  PoolDriver(const PoolDriver&) = delete;
  PoolDriver& operator=(const PoolDriver&) = delete;
  ~PoolDriver();

  /// Learns what exists, then begins. `known`: which launch each worker of the pool came from.
  void Start(const std::map<ports::LaunchId, model::WorkerId>& known);

  /// The agent of this launch has registered.
  void Joined(const ports::LaunchId& launch, model::WorkerId worker);
  /// The load is another, or time has passed.
  void OnWakeUp();
  /// Other bounds from now on (`scale up` and `down`).
  void SetSpec(const placement::PoolSpec& spec);
  const placement::PoolSpec& spec() const { return parts_.spec; }
  /// Launched, and not joined yet.
  std::uint32_t coming() const;
  /// Of the last look; for people.
  const placement::PoolPlan& plan() const { return plan_; }
  /// Why the worker is gone, if the provider knows that it is.
  std::optional<std::string> WhyGone(model::WorkerId worker) const;

 private:
  struct Launched {
    base::Instant launched_at{};
    std::optional<model::WorkerId> worker;
    std::optional<base::Instant> idle_since;
    bool was_there = false;  ///< the engine had it as a worker
    std::optional<base::Instant> away_since;
    bool draining = false;
    bool ending = false;     ///< terminated, and not gone yet
    std::string why_ending;  ///< what the pool said then
  };

  void AskWhatExists();
  void Listed(const std::vector<ports::LaunchState>& states);
  void Changed(const ports::LaunchState& state);
  void Over(const ports::LaunchId& launch, const std::string& cause);
  void TellGone(const ports::LaunchId& launch, model::WorkerId worker, const std::string& cause);
  void Stillborn(const ports::LaunchId& launch);
  placement::PoolView View();
  static void Describe(const PoolLoad& load, base::Instant now, Launched& launched,
                       placement::PoolWorker& worker);
  void Perform(const placement::PoolAction& action);
  void Launch();
  void Order(const ports::LaunchId& launch, const std::string& token);
  void Failed();
  template <typename Handler>
  auto Alive(Handler handler);

  PoolDriverParts parts_;
  std::map<ports::LaunchId, model::WorkerId> known_;
  bool started_ = false;
  std::map<ports::LaunchId, std::string> gone_before_;  ///< the list was on its way then; causes
  std::uint64_t last_number_ = 0;
  std::map<ports::LaunchId, Launched> launches_;
  std::map<model::WorkerId, std::string> gone_;
  std::deque<ports::LaunchId> stillborn_;  ///< gone before they joined, newest last
  std::uint32_t failed_launches_ = 0;
  base::Instant last_failure_{};
  placement::PoolPlan plan_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace engine::loop
