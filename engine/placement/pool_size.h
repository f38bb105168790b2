// SPDX-License-Identifier: Apache-2.0
// How many workers a pool should have, and what to do about it: launch, drain, terminate. It never
// ends a worker that has work, and reaches zero when there is none. Pure: time is passed in, and
// every action says why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace engine::placement {

struct PoolSpec {
  std::uint32_t min = 0;
  std::uint32_t max = 1;
  std::uint32_t slots = 1;  ///< of each worker
  base::Duration idle_after = std::chrono::minutes(5);
  base::Duration lifetime{0};  ///< after which a worker is replaced; 0: none
  base::Duration join_within = std::chrono::minutes(2);
  base::Duration return_within = std::chrono::minutes(1);  ///< once it was lost
  /// After so many launches in a row that never joined, or could not be made, one is tried each
  /// `retry_after`.
  std::uint32_t launch_tries = 3;
  base::Duration retry_after = std::chrono::minutes(5);
};

enum class PoolWorkerPhase : std::uint8_t {
  kComing,    ///< launched, not joined
  kIdle,      ///< joined, has nothing
  kBusy,      ///< has attempts
  kDraining,  ///< takes nothing new and leaves by itself
  kAway,      ///< it lives, and the engine has lost it: it was silent for too long
};

struct PoolWorker {
  std::string launch;
  PoolWorkerPhase phase = PoolWorkerPhase::kComing;
  base::Instant launched_at{};
  base::Instant idle_since{};  ///< of an idle one
  base::Instant away_since{};  ///< of one that is away
  /// That it has; of one that is away those which nobody else may begin before it is known how they
  /// ended.
  std::uint32_t attempts = 0;
  bool draining = false;  ///< of one that is away: it would leave anyway
};

struct PoolView {
  base::Instant now{};
  std::uint32_t waiting = 0;  ///< attempts that no worker has
  std::uint32_t unfit = 0;    ///< besides these: what a worker of the pool could not run anyway
  std::vector<PoolWorker> workers;
  std::uint32_t failed_launches = 0;  ///< in a row
  base::Instant last_failure{};
};

enum class PoolOrder : std::uint8_t {
  kLaunch,     ///< one more
  kDrain,      ///< tell it to leave when it has nothing
  kTerminate,  ///< it never joined, or does not come back
};

struct PoolAction {
  PoolOrder order = PoolOrder::kLaunch;
  std::string launch;   ///< which; empty for `kLaunch`
  std::string reason;   ///< for people
  bool failed = false;  ///< counts as a failed launch
  friend bool operator==(const PoolAction&, const PoolAction&) = default;
};

struct PoolPlan {
  std::uint32_t desired = 0;
  std::vector<PoolAction> actions;
  std::string held_back;    ///< why fewer are launched than desired; empty: they are not
  std::string passed_over;  ///< what waits that none is launched for, and why; empty: nothing does
  std::string awaited;  ///< whose return fewer are launched for, and until when; empty: nobody's
  std::optional<base::Instant> look_again;  ///< if nothing else happens
};

/// Workers for so many attempts, within the pool's bounds.
std::uint32_t DesiredWorkers(const PoolSpec& spec, std::uint64_t attempts);

PoolPlan PlanPool(const PoolSpec& spec, const PoolView& view);

}  // namespace engine::placement
