// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/pool_driver.h"

#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_provider.h"

namespace engine::loop {
namespace {

using Lines = std::vector<std::string>;
using ports::LaunchPhase;
using std::chrono::minutes;
using std::chrono::seconds;

class PoolDriverTest : public ::testing::Test {
 protected:
  PoolDriverTest() { clock_.Set(base::InstantFromMicros(1'000'000'000)); }

  PoolDriver& driver() {
    if (driver_ == nullptr) {
      PoolDriverParts parts;
      parts.pool = "linux";
      parts.spec = spec_;
      parts.labels = labels_;
      parts.epoch = model::Epoch(7);
      parts.servers = {"server:1"};
      parts.provider = &provider_;
      parts.clock = &clock_;
      parts.load = [this] { return load_; };
      parts.make_token = [this](const auto& launch, const auto&, auto done) {
        boost::asio::post(io_, [launch, done] { done("token-of-" + launch); });
      };
      parts.drain = [this](model::WorkerId worker, const std::string&) {
        drained_.push_back(worker);
      };
      parts.gone = [this](model::WorkerId worker, const std::string& cause, auto noted) {
        gone_.push_back(std::to_string(worker.value()) + ": " + cause);
        noted_ = std::move(noted);
      };
      parts.arm = [this](base::Instant at) { armed_ = at; };
      driver_ = std::make_unique<PoolDriver>(std::move(parts));
      driver_->Start(known_);
      Settle();
    }
    return *driver_;
  }
  void Settle() {
    io_.restart();
    io_.run();
  }
  void Look() {
    driver().OnWakeUp();
    Settle();
  }
  void Join(const std::string& launch, std::uint64_t worker) {
    driver().Joined(launch, model::WorkerId(worker));
    load_.assigned[model::WorkerId(worker)] = 0;
    Settle();
  }
  Lines Living() const {
    Lines launches;
    for (const auto& [launch, state] : cloud_.workers) {
      if (state.phase != LaunchPhase::kGone) {
        launches.push_back(launch);
      }
    }
    return launches;
  }
  void Pass(base::Duration time) { clock_.Set(clock_.Now() + time); }

  boost::asio::io_context io_;
  tests::support::FakeClock clock_;
  tests::support::FakeCloud cloud_;
  tests::support::FakeProvider provider_{io_, cloud_};
  placement::PoolSpec spec_ = {.min = 0, .max = 2, .slots = 2};
  std::vector<model::Label> labels_;
  PoolLoad load_;
  std::map<ports::LaunchId, model::WorkerId> known_;
  std::vector<model::WorkerId> drained_;
  Lines gone_;
  std::function<void()> noted_;  ///< of the last one
  base::Instant armed_{};
  std::unique_ptr<PoolDriver> driver_;
};

TEST_F(PoolDriverTest, GivesItsLabelsAlongAndLaunchesNobodyForWhatTheyDoNotServe) {
  labels_ = {{"disk", "ssd"}};
  load_.unfit = 1;
  Look();
  EXPECT_TRUE(Living().empty());
  EXPECT_EQ(driver().plan().passed_over,
            "none is started for 1 job: what it asks for no worker of this pool offers");
  load_.waiting = 1;
  Look();
  ASSERT_EQ(cloud_.orders.size(), 1U);
  EXPECT_EQ(cloud_.orders[0].labels, labels_);
}

TEST_F(PoolDriverTest, LaunchesForWorkAndDrainsWhenThereIsNone) {
  driver();
  EXPECT_TRUE(Living().empty());
  load_.waiting = 3;
  Look();
  Look();
  EXPECT_EQ(Living(), (Lines{"linux-7-1", "linux-7-2"})) << "those that come count";
  EXPECT_EQ(cloud_.orders[0].join_token, "token-of-linux-7-1");
  EXPECT_EQ(cloud_.orders[0].slots, 2U);

  Join("linux-7-1", 11);
  Join("linux-7-2", 12);
  load_ = {.waiting = 0, .assigned = {{model::WorkerId(11), 2}, {model::WorkerId(12), 1}}};
  Look();
  Pass(minutes(60));
  Look();
  EXPECT_TRUE(drained_.empty()) << "busy ones stay";

  load_.assigned = {{model::WorkerId(11), 0}, {model::WorkerId(12), 1}};
  Look();
  EXPECT_EQ(armed_, clock_.Now() + minutes(5));
  Pass(minutes(5));
  Look();
  EXPECT_EQ(drained_, std::vector{model::WorkerId(11)});
  cloud_.End("linux-7-1", "exit code 0");
  Settle();
  EXPECT_EQ(gone_, Lines{"11: exit code 0"});
  EXPECT_EQ(driver().WhyGone(model::WorkerId(11)), "exit code 0");
  EXPECT_TRUE(cloud_.workers.contains("linux-7-1")) << "the next owner may have to learn of it";
  noted_();
  EXPECT_FALSE(cloud_.workers.contains("linux-7-1"));
}

TEST_F(PoolDriverTest, AfterThreeLaunchesThatNeverJoinItWaits) {
  load_.waiting = 1;
  driver();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Living().size(), 1U) << i;
    Pass(minutes(2));
    Look();
  }
  EXPECT_TRUE(Living().empty());
  EXPECT_EQ(driver().plan().held_back, "3 launches in a row have failed");
  Pass(minutes(5));
  Look();
  EXPECT_EQ(Living(), Lines{"linux-7-4"});
  Join("linux-7-4", 14);
  EXPECT_EQ(driver().plan().held_back, "");
}

TEST_F(PoolDriverTest, OfLaunchesThatNeverJoinedOnlyTheLastAreKept) {
  for (int i = 1; i <= 30; ++i) {
    cloud_.workers[fmt::format("linux-6-{}", i)] = {fmt::format("linux-6-{}", i), "linux",
                                                    LaunchPhase::kGone, "exit code 1"};
  }
  driver();
  EXPECT_EQ(cloud_.workers.size(), 10U);
  EXPECT_TRUE(gone_.empty());
}

TEST_F(PoolDriverTest, ALaunchThatIsRefusedCountsAsFailed) {
  cloud_.room = base::ResourceExhausted("quota");
  load_.waiting = 1;
  driver();
  Settle();
  EXPECT_TRUE(Living().empty());
  EXPECT_EQ(driver().plan().held_back, "3 launches in a row have failed");
}

TEST_F(PoolDriverTest, AWorkerThatEndsWhileTheListIsOnItsWayIsGone) {
  cloud_.workers["linux-6-1"] = {"linux-6-1", "linux", LaunchPhase::kRunning, ""};
  known_ = {{"linux-6-1", model::WorkerId(1)}};
  boost::asio::post(io_, [this] { cloud_.End("linux-6-1", "it ended unseen"); });
  driver();
  EXPECT_EQ(gone_, Lines{"1: it ended unseen"});
}

// Its agent dials an address that nobody answers any more, say.
TEST_F(PoolDriverTest, ATakenUpWorkerThatDoesNotComeBackIsEndedAndReplaced) {
  cloud_.workers["linux-6-1"] = {"linux-6-1", "linux", LaunchPhase::kRunning, ""};
  known_ = {{"linux-6-1", model::WorkerId(1)}};
  driver();
  load_ = {.is_known = true, .waiting = 1, .assigned = {{model::WorkerId(1), 1}}};
  Look();
  Pass(minutes(10));
  Look();
  EXPECT_EQ(Living(), Lines{"linux-6-1"}) << "as long as the engine has not lost it";

  load_ = {.is_known = true, .waiting = 2, .lost = {{model::WorkerId(1), 1}}};
  Look();
  Pass(seconds(60));
  Look();
  EXPECT_EQ(Living(), (Lines{"linux-6-1", "linux-7-1"}))
      << "what it may run nobody else may begin; the rest need not wait for that";
  EXPECT_TRUE(gone_.empty());

  load_.lost.clear();
  Look();
  EXPECT_EQ(Living(), Lines{"linux-7-1"});
  EXPECT_EQ(gone_, Lines{"1: ended by its pool: nothing was heard of it for 1m00s after it was "
                         "lost"});
}

TEST_F(PoolDriverTest, AWorkerThatComesBackInTimeStays) {
  cloud_.workers["linux-6-1"] = {"linux-6-1", "linux", LaunchPhase::kRunning, ""};
  known_ = {{"linux-6-1", model::WorkerId(1)}};
  driver();
  load_ = {.is_known = true, .waiting = 1};
  Look();
  EXPECT_NE(driver().plan().awaited, "");
  Pass(seconds(59));
  load_.assigned[model::WorkerId(1)] = 0;
  Look();
  Pass(seconds(59));
  load_.assigned.clear();
  Look();
  Pass(seconds(59));
  Look();
  EXPECT_EQ(Living(), Lines{"linux-6-1"});
  Pass(seconds(1));
  Look();
  EXPECT_EQ(Living(), Lines{"linux-7-1"});
}

TEST_F(PoolDriverTest, AnEarlierOwnersWorkersAreFound) {
  cloud_.workers["linux-6-1"] = {"linux-6-1", "linux", LaunchPhase::kRunning, ""};
  cloud_.workers["linux-6-2"] = {"linux-6-2", "linux", LaunchPhase::kGone, "killed by signal 9"};
  cloud_.workers["other-6-1"] = {"other-6-1", "other", LaunchPhase::kRunning, ""};
  known_ = {{"linux-6-1", model::WorkerId(1)}, {"linux-6-2", model::WorkerId(2)}};
  load_.waiting = 2;
  load_.assigned[model::WorkerId(1)] = 0;
  driver();
  EXPECT_EQ(gone_, Lines{"2: killed by signal 9"});
  noted_();
  EXPECT_FALSE(cloud_.workers.contains("linux-6-2"));
  EXPECT_EQ(Living(), (Lines{"linux-6-1", "other-6-1"})) << "one worker has room for both";
}

}  // namespace
}  // namespace engine::loop
