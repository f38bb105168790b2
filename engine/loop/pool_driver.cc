// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/pool_driver.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace engine::loop {

using placement::PoolOrder;
using placement::PoolWorkerPhase;
using ports::LaunchId;
using ports::LaunchPhase;
using ports::LaunchState;

namespace {

constexpr base::Duration kAskAgain = std::chrono::seconds(1);
constexpr std::size_t kStillbornKept = 10;

}  // namespace

PoolDriver::~PoolDriver() {
  parts_.provider->Watch([](const LaunchState&) {});
}

/// A handler that does nothing once the driver is gone.
template <typename Handler>
auto PoolDriver::Alive(Handler handler) {
  return [weak = std::weak_ptr<int>(alive_), handler = std::move(handler)](auto&&... arguments) {
    if (!weak.expired()) {
      handler(std::forward<decltype(arguments)>(arguments)...);
    }
  };
}

void PoolDriver::Start(const std::map<LaunchId, model::WorkerId>& known) {
  parts_.provider->Watch(Alive([this](const LaunchState& state) { Changed(state); }));
  known_ = known;
  AskWhatExists();
}

// Nothing is launched before: it could exceed the maximum.
void PoolDriver::AskWhatExists() {
  parts_.provider->List(Alive([this](const base::StatusOr<std::vector<LaunchState>>& states) {
    if (started_) {
      return;
    }
    if (states.ok()) {
      return Listed(*states);
    }
    parts_.arm(parts_.clock->Now() + kAskAgain);
  }));
}

void PoolDriver::Listed(const std::vector<LaunchState>& states) {
  started_ = true;
  for (LaunchState state : states) {
    if (state.pool != parts_.pool) {
      continue;
    }
    if (const auto gone = gone_before_.find(state.launch); gone != gone_before_.end()) {
      state.phase = LaunchPhase::kGone;
      state.cause = gone->second;
    }
    const auto worker = known_.find(state.launch);
    if (state.phase == LaunchPhase::kGone) {
      worker != known_.end() ? TellGone(state.launch, worker->second, state.cause)
                             : Stillborn(state.launch);
      continue;
    }
    // When it was launched nobody wrote down; its time to join counts from here.
    Launched& launched = launches_[state.launch];
    launched.launched_at = parts_.clock->Now();
    if (worker != known_.end()) {
      launched.worker = worker->second;
      launched.was_there = true;
    }
  }
  OnWakeUp();
}

void PoolDriver::Joined(const LaunchId& launch, model::WorkerId worker) {
  const auto found = launches_.find(launch);
  if (found != launches_.end()) {
    found->second.worker = worker;
    failed_launches_ = 0;
    OnWakeUp();
  }
}

void PoolDriver::Changed(const LaunchState& state) {
  if (state.phase == LaunchPhase::kGone && !started_) {
    gone_before_[state.launch] = state.cause;
  } else if (state.phase == LaunchPhase::kGone && launches_.contains(state.launch)) {
    Over(state.launch, state.cause);
    OnWakeUp();
  }
}

void PoolDriver::Over(const LaunchId& launch, const std::string& cause) {
  const Launched launched = launches_.extract(launch).mapped();
  if (launched.worker.has_value()) {
    return TellGone(launch, *launched.worker,
                    launched.ending ? "ended by its pool: " + launched.why_ending : cause);
  }
  if (!launched.ending) {
    Failed();  // it died before it could join
  }
  Stillborn(launch);
}

// Who owns the shard next learns of it from the provider, unless it is noted.
void PoolDriver::TellGone(const LaunchId& launch, model::WorkerId worker,
                          const std::string& cause) {
  gone_[worker] = cause;
  parts_.gone(worker, cause, Alive([this, launch] { parts_.provider->Forget(launch); }));
}

// What the last ones left is kept for people who look for the reason.
void PoolDriver::Stillborn(const LaunchId& launch) {
  stillborn_.push_back(launch);
  if (stillborn_.size() > kStillbornKept) {
    parts_.provider->Forget(stillborn_.front());
    stillborn_.pop_front();
  }
}

std::optional<std::string> PoolDriver::WhyGone(model::WorkerId worker) const {
  const auto found = gone_.find(worker);
  return found == gone_.end() ? std::nullopt : std::optional(found->second);
}

void PoolDriver::SetSpec(const placement::PoolSpec& spec) {
  parts_.spec = spec;
  OnWakeUp();
}

std::uint32_t PoolDriver::coming() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(launches_, [](const auto& each) {
    return !each.second.worker.has_value() && !each.second.ending;
  }));
}

void PoolDriver::Failed() {
  ++failed_launches_;
  last_failure_ = parts_.clock->Now();
}

placement::PoolView PoolDriver::View() {
  const PoolLoad load = parts_.load();
  placement::PoolView view;
  view.now = parts_.clock->Now();
  view.waiting = load.waiting;
  view.unfit = load.unfit;
  view.failed_launches = failed_launches_;
  view.last_failure = last_failure_;
  for (auto& [launch, launched] : launches_) {
    if (launched.ending) {
      continue;
    }
    placement::PoolWorker worker;
    worker.launch = launch;
    worker.launched_at = launched.launched_at;
    if (launched.worker.has_value()) {
      Describe(load, view.now, launched, worker);
    }
    view.workers.push_back(std::move(worker));
  }
  return view;
}

void PoolDriver::Describe(const PoolLoad& load, base::Instant now, Launched& launched,
                          placement::PoolWorker& worker) {
  const auto assigned = load.assigned.find(*launched.worker);
  const bool is_there = assigned != load.assigned.end();
  launched.was_there = launched.was_there || is_there;
  // Somebody else may have sent it home.
  const bool draining = launched.draining || load.draining.contains(*launched.worker);
  if (load.is_known && launched.was_there && !is_there) {
    const auto lost = load.lost.find(*launched.worker);
    launched.away_since = launched.away_since.value_or(now);
    launched.idle_since.reset();
    worker.phase = PoolWorkerPhase::kAway;
    worker.away_since = *launched.away_since;
    worker.attempts = lost == load.lost.end() ? 0 : lost->second;
    worker.draining = draining;
    return;
  }
  launched.away_since.reset();
  worker.attempts = is_there ? assigned->second : 0;
  if (worker.attempts > 0) {
    launched.idle_since.reset();
  } else if (!launched.idle_since.has_value()) {
    launched.idle_since = now;
  }
  worker.idle_since = launched.idle_since.value_or(now);
  worker.phase = draining              ? PoolWorkerPhase::kDraining
                 : worker.attempts > 0 ? PoolWorkerPhase::kBusy
                                       : PoolWorkerPhase::kIdle;
}

void PoolDriver::OnWakeUp() {
  if (!started_) {
    return AskWhatExists();
  }
  plan_ = placement::PlanPool(parts_.spec, View());
  for (const placement::PoolAction& action : plan_.actions) {
    Perform(action);
  }
  if (plan_.look_again.has_value()) {
    parts_.arm(*plan_.look_again);
  }
}

void PoolDriver::Perform(const placement::PoolAction& action) {
  if (parts_.note) {
    parts_.note(action);
  }
  if (action.failed) {
    Failed();
  }
  switch (action.order) {
    case PoolOrder::kLaunch:
      return Launch();
    case PoolOrder::kDrain: {
      Launched& launched = launches_.at(action.launch);
      launched.draining = true;
      return parts_.drain(*launched.worker, action.reason);
    }
    case PoolOrder::kTerminate:
      launches_.at(action.launch).ending = true;
      launches_.at(action.launch).why_ending = action.reason;
      return parts_.provider->Terminate(
          action.launch, Alive([this, launch = action.launch](const base::Status& status) {
            if (!launches_.contains(launch)) {
              return;
            }
            if (status.ok()) {
              Over(launch, "it was ended");
            } else {
              launches_.at(launch).ending = false;  // asked again at the next look
            }
          }));
  }
}

void PoolDriver::Launch() {
  const LaunchId launch =
      fmt::format("{}-{}-{}", parts_.pool, parts_.epoch.value(), ++last_number_);
  launches_[launch].launched_at = parts_.clock->Now();
  parts_.make_token(launch, parts_.pool, Alive([this, launch](base::StatusOr<std::string> token) {
                      if (token.ok()) {
                        return Order(launch, *token);
                      }
                      launches_.erase(launch);
                      Failed();
                    }));
}

void PoolDriver::Order(const LaunchId& launch, const std::string& token) {
  ports::LaunchOrder order;
  order.launch = launch;
  order.pool = parts_.pool;
  order.slots = parts_.spec.slots;
  order.labels = parts_.labels;
  order.join_token = token;
  order.servers = parts_.servers;
  parts_.provider->Launch(order, Alive([this, launch](const base::Status& status) {
                            const bool unknown = status.code() == absl::StatusCode::kUnavailable;
                            if (status.ok() || unknown || !launches_.contains(launch)) {
                              return;  // what is unknown joins in time, or is given up
                            }
                            launches_.erase(launch);
                            Failed();
                            OnWakeUp();
                          }));
}

}  // namespace engine::loop
