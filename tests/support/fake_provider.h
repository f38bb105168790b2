// SPDX-License-Identifier: Apache-2.0
// For tests: a provider whose workers are entries of a map. The cloud outlives its providers.
#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "engine/ports/worker_provider.h"

namespace tests::support {

class FakeCloud {
 public:
  std::map<engine::ports::LaunchId, engine::ports::LaunchState> workers;
  std::vector<engine::ports::LaunchOrder> orders;  ///< those that created something
  engine::ports::WorkerProvider::Changed watcher;
  engine::base::Status room;  ///< not OK: nothing can be launched

  void End(const engine::ports::LaunchId& launch, std::string cause) {
    engine::ports::LaunchState& state = workers.at(launch);
    if (state.phase == engine::ports::LaunchPhase::kGone) {
      return;
    }
    state.phase = engine::ports::LaunchPhase::kGone;
    state.cause = std::move(cause);
    if (watcher) {
      watcher(state);
    }
  }
};

class FakeProvider : public engine::ports::WorkerProvider {
 public:
  /// The cloud outlives this.
  FakeProvider(boost::asio::io_context& io, FakeCloud& cloud) : io_(io), cloud_(cloud) {}
  ~FakeProvider() override { cloud_.watcher = nullptr; }

  void Launch(const engine::ports::LaunchOrder& order, Done done) override {
    Later([this, order, done = std::move(done)] { done(LaunchNow(order)); });
  }
  void Terminate(const engine::ports::LaunchId& launch, Done done) override {
    Later([this, launch, done = std::move(done)] {
      if (cloud_.workers.contains(launch)) {
        cloud_.End(launch, "terminated");
      }
      done(engine::base::OkStatus());
    });
  }
  void Forget(const engine::ports::LaunchId& launch) override {
    const auto found = cloud_.workers.find(launch);
    if (found != cloud_.workers.end() && found->second.phase == engine::ports::LaunchPhase::kGone) {
      cloud_.workers.erase(found);
    }
  }
  void List(Listed listed) override {
    std::vector<engine::ports::LaunchState> states;
    for (const auto& [launch, state] : cloud_.workers) {
      states.push_back(state);
    }
    // As it was when it was asked: it may be another when the answer comes.
    Later([states = std::move(states), listed = std::move(listed)] { listed(states); });
  }
  void Watch(Changed changed) override { cloud_.watcher = std::move(changed); }

 private:
  engine::base::Status LaunchNow(const engine::ports::LaunchOrder& order) {
    const bool plain = std::ranges::all_of(order.launch, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
    });
    if (order.launch.empty() || !plain) {
      return engine::base::InvalidArgument("'{}' is no launch id", order.launch);
    }
    if (cloud_.workers.contains(order.launch)) {
      return engine::base::OkStatus();
    }
    if (!cloud_.room.ok()) {
      return cloud_.room;
    }
    cloud_.orders.push_back(order);
    const engine::ports::LaunchState state = {.launch = order.launch,
                                              .pool = order.pool,
                                              .phase = engine::ports::LaunchPhase::kRunning,
                                              .cause = {}};
    cloud_.workers.emplace(order.launch, state);
    if (cloud_.watcher) {
      cloud_.watcher(state);
    }
    return engine::base::OkStatus();
  }

  void Later(std::function<void()> call) {
    boost::asio::post(io_, [alive = std::weak_ptr<int>(alive_), call = std::move(call)] {
      if (!alive.expired()) {
        call();
      }
    });
  }

  boost::asio::io_context& io_;
  FakeCloud& cloud_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tests::support
