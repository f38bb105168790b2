// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/pool_size.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace engine::placement {
namespace {

using base::FormatDuration;
using Phase = PoolWorkerPhase;

/// Of `FormatInstant`: `12:34:56`.
constexpr std::size_t kTimeOfDay = 11;
constexpr std::size_t kTimeOfDayLength = 8;

class Planner {
 public:
  Planner(const PoolSpec& spec, const PoolView& view)
      : spec_(spec), view_(view), attempts_(view.waiting) {}

  PoolPlan Run() {
    std::vector<const PoolWorker*> idle;
    for (const PoolWorker& worker : view_.workers) {
      Look(worker, idle);
    }
    plan_.desired = DesiredWorkers(spec_, attempts_);
    Shrink(std::move(idle));
    Grow();
    return std::move(plan_);
  }

 private:
  /// Deadlines of one worker; counts it when it will be of use.
  void Look(const PoolWorker& worker, std::vector<const PoolWorker*>& idle) {
    switch (worker.phase) {
      case Phase::kComing:
        if (Passed(worker.launched_at + spec_.join_within)) {
          ++failed_;
          Act(PoolOrder::kTerminate, worker,
              fmt::format("it did not join within {}", FormatDuration(spec_.join_within)), true);
        } else {
          ++useful_;
        }
        return;
      case Phase::kIdle:
      case Phase::kBusy:
        if (spec_.lifetime.count() > 0 && Passed(worker.launched_at + spec_.lifetime)) {
          return Act(PoolOrder::kDrain, worker,
                     fmt::format("its lifetime of {} is over", FormatDuration(spec_.lifetime)));
        }
        ++useful_;
        attempts_ += worker.attempts;
        if (worker.phase == Phase::kIdle) {
          idle.push_back(&worker);
        }
        return;
      case Phase::kDraining:
        return;
      case Phase::kAway:
        return LookAway(worker);
    }
  }

  /// Its agent may dial an address that nobody answers any more, or may hang. What nobody else may
  /// begin yet it ends by itself in time; until then it is left alone, and does not count.
  void LookAway(const PoolWorker& worker) {
    const base::Instant until = worker.away_since + spec_.return_within;
    if (!Passed(until)) {
      if (worker.draining) {
        return;
      }
      ++useful_;
      plan_.awaited += fmt::format(
          "{}nothing is heard of worker {}: unless it is back by {} UTC it is ended and replaced",
          plan_.awaited.empty() ? "" : "; ", worker.launch,
          base::FormatInstant(until).substr(kTimeOfDay, kTimeOfDayLength));
    } else if (worker.attempts == 0) {
      Act(PoolOrder::kTerminate, worker,
          fmt::format("nothing was heard of it for {} after it was lost",
                      FormatDuration(spec_.return_within)));
    }
  }

  /// Those that are idle longest go first; the launch id is the last tie-break.
  void Shrink(std::vector<const PoolWorker*> idle) {
    std::ranges::sort(idle, {}, [](const PoolWorker* worker) {
      return std::pair(worker->idle_since, worker->launch);
    });
    for (const PoolWorker* worker : idle) {
      if (useful_ > spec_.max) {
        --useful_;
        Act(PoolOrder::kDrain, *worker,
            fmt::format("the pool may have {} workers at most", spec_.max));
      } else if (useful_ > plan_.desired && Passed(worker->idle_since + spec_.idle_after)) {
        --useful_;
        Act(PoolOrder::kDrain, *worker,
            fmt::format("it was idle for {}", FormatDuration(spec_.idle_after)));
      }
    }
  }

  void Grow() {
    const std::uint32_t wanted = plan_.desired > useful_ ? plan_.desired - useful_ : 0;
    const std::uint32_t allowed = std::min(wanted, Allowed());
    for (std::uint32_t i = 0; i < allowed; ++i) {
      plan_.actions.push_back(
          {.order = PoolOrder::kLaunch, .launch = {}, .reason = WhyLaunch(), .failed = false});
    }
    if (allowed < wanted) {
      plan_.held_back = fmt::format("{} launches in a row have failed", Failures());
    }
    if (view_.unfit > 0) {
      plan_.passed_over = fmt::format(
          "none is started for {} job{}: what {} for no worker of this pool offers", view_.unfit,
          view_.unfit == 1 ? "" : "s", view_.unfit == 1 ? "it asks" : "they ask");
    }
  }

  std::uint32_t Failures() const { return view_.failed_launches + failed_; }

  std::uint32_t Allowed() {
    if (Failures() < spec_.launch_tries) {
      return spec_.max;
    }
    // One that is on its way is the try.
    const bool under_way = std::ranges::any_of(view_.workers, [&](const PoolWorker& worker) {
      return worker.phase == Phase::kComing && view_.now < worker.launched_at + spec_.join_within;
    });
    const base::Instant last = failed_ > 0 ? view_.now : view_.last_failure;
    return !under_way && Passed(last + spec_.retry_after) ? 1 : 0;
  }

  std::string WhyLaunch() const {
    return view_.waiting > 0 ? fmt::format("{} attempts wait for a slot", view_.waiting)
                             : fmt::format("the pool has {} workers at least", spec_.min);
  }

  /// Whether it is time; else the pool is looked at again then.
  bool Passed(base::Instant at) {
    if (at <= view_.now) {
      return true;
    }
    plan_.look_again = std::min(plan_.look_again.value_or(at), at);
    return false;
  }

  void Act(PoolOrder order, const PoolWorker& worker, std::string reason, bool failed = false) {
    plan_.actions.push_back({order, worker.launch, std::move(reason), failed});
  }

  const PoolSpec& spec_;
  const PoolView& view_;
  PoolPlan plan_;
  std::uint64_t attempts_;    ///< waiting, and those of workers that stay
  std::uint32_t useful_ = 0;  ///< workers that take work, or soon will
  std::uint32_t failed_ = 0;  ///< launches that failed just now
};

}  // namespace

std::uint32_t DesiredWorkers(const PoolSpec& spec, std::uint64_t attempts) {
  const std::uint64_t slots = std::max(1U, spec.slots);
  const std::uint64_t for_work = (attempts + slots - 1) / slots;
  const std::uint32_t least = std::min(spec.min, spec.max);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(for_work, least, spec.max));
}

PoolPlan PlanPool(const PoolSpec& spec, const PoolView& view) {
  return Planner(spec, view).Run();
}

}  // namespace engine::placement
