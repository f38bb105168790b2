// SPDX-License-Identifier: Apache-2.0
// What every `WorkerRegistry` must do. A fixture derives from `RegistryFixture` and is given to
// `INSTANTIATE_TYPED_TEST_SUITE_P(Name, WorkerRegistryConformance, Fixture)`.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/ports/worker_registry.h"

namespace tests::support {

template <typename Fixture>
class WorkerRegistryConformance : public testing::Test {
 protected:
  using WorkerId = engine::model::WorkerId;

  engine::ports::JoinGrant Grant(const std::string& secret) const {
    return {.token = engine::base::Sha256(secret),
            .launch = "pool-1-7",
            .pool = "pool",
            .expires_at = now_ + std::chrono::minutes(5)};
  }
  engine::ports::WorkerRegistry& registry() { return fixture_.registry(); }

  engine::base::Instant now_ = engine::base::InstantFromMicros(1'700'000'000'000'000);
  Fixture fixture_;
};
TYPED_TEST_SUITE_P(WorkerRegistryConformance);

TYPED_TEST_P(WorkerRegistryConformance, ATokenMakesOneWorker) {
  ASSERT_TRUE(this->registry().AddGrant(this->Grant("a")).ok());
  const auto token = engine::base::Sha256("a");
  const auto worker = this->registry().Redeem(token, this->now_, engine::model::WorkerId(7), "box");
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->pool, "pool");
  EXPECT_EQ(worker->launch, "pool-1-7");
  EXPECT_EQ(worker->host, "box");
  EXPECT_EQ(worker->joined_at, this->now_);
  const auto again = this->registry().Redeem(token, this->now_, engine::model::WorkerId(8), "box");
  EXPECT_EQ(again.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(this->registry().Workers()->size(), 1U);
}

TYPED_TEST_P(WorkerRegistryConformance, ATokenEnds) {
  ASSERT_TRUE(this->registry().AddGrant(this->Grant("a")).ok());
  const auto late = this->now_ + std::chrono::minutes(5);
  EXPECT_EQ(this->registry()
                .Redeem(engine::base::Sha256("a"), late, engine::model::WorkerId(7), "")
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

TYPED_TEST_P(WorkerRegistryConformance, ATakenNumberLeavesTheTokenGood) {
  ASSERT_TRUE(this->registry().AddGrant(this->Grant("a")).ok());
  ASSERT_TRUE(this->registry().AddGrant(this->Grant("b")).ok());
  const engine::model::WorkerId taken(7);
  ASSERT_TRUE(this->registry().Redeem(engine::base::Sha256("a"), this->now_, taken, "").ok());
  const auto b = engine::base::Sha256("b");
  EXPECT_EQ(this->registry().Redeem(b, this->now_, taken, "").status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(this->registry().Redeem(b, this->now_, engine::model::WorkerId(8), "").ok());
}

TYPED_TEST_P(WorkerRegistryConformance, OfManyWhoAskAtOnceOneGetsIt) {
  ASSERT_TRUE(this->registry().AddGrant(this->Grant("a")).ok());
  std::atomic<int> got = 0;
  std::vector<std::thread> askers;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    askers.emplace_back([&, i] {
      const auto worker = this->registry().Redeem(engine::base::Sha256("a"), this->now_,
                                                  engine::model::WorkerId(i), "");
      got += worker.ok() ? 1 : 0;
    });
  }
  for (std::thread& asker : askers) {
    asker.join();
  }
  EXPECT_EQ(got, 1);
}

TYPED_TEST_P(WorkerRegistryConformance, ARetiredWorkerStaysRetired) {
  const engine::model::WorkerId worker(7);
  EXPECT_EQ(this->registry().Retire(worker).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(this->registry().Find(worker).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(this->registry().AddGrant(this->Grant("a")).ok());
  ASSERT_TRUE(this->registry().Redeem(engine::base::Sha256("a"), this->now_, worker, "").ok());
  EXPECT_FALSE(this->registry().Find(worker)->retired);
  ASSERT_TRUE(this->registry().Retire(worker).ok());
  ASSERT_TRUE(this->registry().Retire(worker).ok());
  EXPECT_TRUE(this->registry().Find(worker)->retired);
  EXPECT_TRUE(this->registry().Workers()->empty());
}

REGISTER_TYPED_TEST_SUITE_P(WorkerRegistryConformance, ATokenMakesOneWorker, ATokenEnds,
                            ATakenNumberLeavesTheTokenGood, OfManyWhoAskAtOnceOneGetsIt,
                            ARetiredWorkerStaysRetired);

}  // namespace tests::support
