// SPDX-License-Identifier: Apache-2.0
// What every `WorkerProvider` must do. A world is what exists outside of the provider: it outlives
// providers as machines outlive a server.
//
//   struct World {
//     boost::asio::io_context io;
//     std::unique_ptr<WorkerProvider> Provide();      // another one over what exists
//     void EndWorker(const LaunchId& launch);         // it dies by itself
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, WorkerProviderConformance, World);
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "engine/ports/worker_provider.h"

namespace tests::support {

template <typename World>
class WorkerProviderConformance : public ::testing::Test {
 protected:
  using Status = engine::base::Status;
  using State = engine::ports::LaunchState;
  using Phase = engine::ports::LaunchPhase;

  WorkerProviderConformance() { Provide(); }

  /// The provider before is gone first, as after a crash.
  void Provide() {
    provider_.reset();
    provider_ = world_.Provide();
  }
  void RunUntil(const std::function<bool()>& done) {
    world_.io.restart();
    while (!done() && world_.io.run_one() > 0) {
    }
    EXPECT_TRUE(done()) << "nothing left to do";
  }
  static engine::ports::LaunchOrder Order(std::string launch) {
    return {.launch = std::move(launch),
            .pool = "linux",
            .slots = 2,
            .join_token = "fingerprint.secret",
            .servers = {"127.0.0.1:1"}};
  }

  /// Repeats while the outcome is unknown, as callers must.
  Status Launch(const std::string& launch) {
    return Ask([&](auto done) { provider_->Launch(Order(launch), std::move(done)); });
  }
  Status Terminate(const std::string& launch) {
    return Ask([&](auto done) { provider_->Terminate(launch, std::move(done)); });
  }
  std::vector<State> List() {
    std::vector<State> states;
    const Status listed_well = Ask([&](auto done) {
      provider_->List([&states, done](engine::base::StatusOr<std::vector<State>> listed) {
        states = listed.value_or(std::vector<State>());
        done(listed.status());
      });
    });
    EXPECT_TRUE(listed_well.ok()) << listed_well;
    return states;
  }
  /// The phase of the only launch there is.
  Phase OnlyPhase(const std::string& launch) {
    const std::vector<State> states = List();
    EXPECT_EQ(states.size(), 1U);
    EXPECT_TRUE(states.empty() || states[0].launch == launch);
    return states.empty() ? Phase::kComing : states[0].phase;
  }
  void Watch() {
    provider_->Watch([this](const State& state) { heard_.push_back(state); });
  }
  bool HeardOf(const std::string& launch, Phase phase) const {
    for (const State& state : heard_) {
      if (state.launch == launch && state.phase == phase) {
        return true;
      }
    }
    return false;
  }

  World world_;
  std::unique_ptr<engine::ports::WorkerProvider> provider_;
  std::vector<State> heard_;

 private:
  Status Ask(const std::function<void(engine::ports::WorkerProvider::Done)>& call) {
    for (int tries = 0; tries < 50; ++tries) {
      std::optional<Status> answer;
      call([&](Status status) { answer = std::move(status); });
      EXPECT_FALSE(answer.has_value()) << "never from inside the call";
      RunUntil([&] { return answer.has_value(); });
      if (answer.value_or(Status()).code() != absl::StatusCode::kUnavailable) {
        return *answer;
      }
    }
    return engine::base::Unavailable("fifty times");
  }
};

TYPED_TEST_SUITE_P(WorkerProviderConformance);

TYPED_TEST_P(WorkerProviderConformance, WhatIsLaunchedIsListed) {
  EXPECT_TRUE(this->List().empty());
  ASSERT_TRUE(this->Launch("linux-1-2").ok());
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  const auto states = this->List();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].launch, "linux-1-1");
  EXPECT_EQ(states[0].pool, "linux");
  EXPECT_NE(states[0].phase, engine::ports::LaunchPhase::kGone);
  EXPECT_EQ(states[1].launch, "linux-1-2");
}

TYPED_TEST_P(WorkerProviderConformance, ARepeatedOrderDoesNothingNew) {
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  EXPECT_EQ(this->List().size(), 1U);
}

TYPED_TEST_P(WorkerProviderConformance, WhatIsTerminatedIsGone) {
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  EXPECT_TRUE(this->Terminate("linux-1-1").ok());
  EXPECT_EQ(this->OnlyPhase("linux-1-1"), engine::ports::LaunchPhase::kGone);
  EXPECT_TRUE(this->Terminate("linux-1-1").ok()) << "again";
  EXPECT_TRUE(this->Terminate("linux-1-9").ok()) << "never was";
}

TYPED_TEST_P(WorkerProviderConformance, WhatIsGoneIsNotCreatedAgain) {
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  ASSERT_TRUE(this->Terminate("linux-1-1").ok());
  EXPECT_TRUE(this->Launch("linux-1-1").ok());
  EXPECT_EQ(this->OnlyPhase("linux-1-1"), engine::ports::LaunchPhase::kGone);
}

TYPED_TEST_P(WorkerProviderConformance, TheWatcherHearsOfAnEndAndItsCause) {
  this->Watch();
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  this->world_.EndWorker("linux-1-1");
  this->RunUntil([&] { return this->HeardOf("linux-1-1", engine::ports::LaunchPhase::kGone); });
  EXPECT_FALSE(this->heard_.back().cause.empty());
  EXPECT_EQ(this->OnlyPhase("linux-1-1"), engine::ports::LaunchPhase::kGone);
}

TYPED_TEST_P(WorkerProviderConformance, AnotherProviderFindsWhatExists) {
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  this->Provide();
  EXPECT_EQ(this->OnlyPhase("linux-1-1"), engine::ports::LaunchPhase::kRunning);
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  EXPECT_EQ(this->List().size(), 1U);
  this->Watch();
  EXPECT_TRUE(this->Terminate("linux-1-1").ok());
  EXPECT_EQ(this->OnlyPhase("linux-1-1"), engine::ports::LaunchPhase::kGone);
}

TYPED_TEST_P(WorkerProviderConformance, AnotherProviderHearsOfAnEnd) {
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  this->Provide();
  this->Watch();
  this->world_.EndWorker("linux-1-1");
  this->RunUntil([&] { return this->HeardOf("linux-1-1", engine::ports::LaunchPhase::kGone); });
}

TYPED_TEST_P(WorkerProviderConformance, OnlyWhatIsGoneIsForgotten) {
  ASSERT_TRUE(this->Launch("linux-1-1").ok());
  this->provider_->Forget("linux-1-1");
  EXPECT_EQ(this->OnlyPhase("linux-1-1"), engine::ports::LaunchPhase::kRunning);
  ASSERT_TRUE(this->Terminate("linux-1-1").ok());
  this->provider_->Forget("linux-1-1");
  EXPECT_TRUE(this->List().empty());
  this->provider_->Forget("linux-1-1");
  this->provider_->Forget("../never");
  this->Provide();
  EXPECT_TRUE(this->List().empty());
}

TYPED_TEST_P(WorkerProviderConformance, ANameThatIsNoneIsRefused) {
  for (const char* launch : {"", "../evil", "a/b", "a b"}) {
    EXPECT_EQ(this->Launch(launch).code(), absl::StatusCode::kInvalidArgument) << launch;
  }
  EXPECT_TRUE(this->List().empty());
}

REGISTER_TYPED_TEST_SUITE_P(WorkerProviderConformance, WhatIsLaunchedIsListed,
                            ARepeatedOrderDoesNothingNew, WhatIsTerminatedIsGone,
                            WhatIsGoneIsNotCreatedAgain, TheWatcherHearsOfAnEndAndItsCause,
                            AnotherProviderFindsWhatExists, AnotherProviderHearsOfAnEnd,
                            OnlyWhatIsGoneIsForgotten, ANameThatIsNoneIsRefused);

}  // namespace tests::support
