// SPDX-License-Identifier: Apache-2.0
// The real engine loop on a real database, on a thread of its own, with a worker whose attempts all
// succeed at once. For tests that take the database away from under it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "engine/loop/engine_loop.h"
#include "engine/loop/loop_scene.h"
#include "engine/loop/system_clock.h"
#include "store/postgres/postgres_run_store.h"

namespace tests::postgres {

namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
namespace ports = engine::ports;

class LoopOnPostgres : private ports::AgentLink, private loop::Observer {
 public:
  explicit LoopOnPostgres(const std::string& conninfo, std::uint64_t snapshot_every = 10'000) {
    auto store = store::postgres::OpenPostgresRunStore({.conninfo = conninfo});
    CHECK_MSG(store.ok(), store.status().ToString().c_str());
    store_ = *std::move(store);
    loop::LoopOptions options;
    options.sequencer.failures_max = 1'000'000;
    options.sequencer.pause_max = std::chrono::milliseconds(50);
    options.sequencer.snapshot_every = snapshot_every;
    options.on_trouble = [this](const base::Status& status) { Note(status); };
    options.on_fatal = [this](const base::Status& status) { Note(status); };
    loop_ = std::make_unique<loop::EngineLoop>(io_, *store_, clock_, std::move(options));
    const base::Status status = loop_->Recover();
    CHECK_MSG(status.ok(), status.ToString().c_str());
    observed_.next_seq = store_->Recover()->seq + 1;
    sink_ = loop_->Sink();
    loop_->AddObserver(this);
    loop_->Start(*this);
    CHECK(loop_->Post(loop::testing::Worker(model::SessionId(loop_->epoch().value()), 8)).ok());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~LoopOnPostgres() override { Stop(); }

  std::future<loop::Answer> Submit(model::PlanRef plan, model::RunId run, std::string key = {}) {
    auto promise = std::make_shared<std::promise<loop::Answer>>();
    model::SubmitRun input = loop::testing::Submit(std::move(plan), run);
    input.idempotency_key = std::move(key);
    CHECK(loop_->Post(input, [promise](const loop::Answer& answer) { promise->set_value(answer); })
              .ok());
    return promise->get_future();
  }

  /// Until so many runs have ended since the beginning, or the loop gave up.
  void AwaitRunsEnded(int runs) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ >= runs || fatal(); });
    EXPECT_GE(ended_, runs) << troubles_.back();
  }
  void AwaitFacts(std::size_t facts) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return observed_.facts.size() >= facts || fatal(); });
  }
  void AwaitTroubles(std::size_t troubles) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return troubles_.size() >= troubles || fatal(); });
  }
  void AwaitAnswerOrTrouble(const std::future<loop::Answer>& answer) {
    std::unique_lock lock(mutex_);
    // Whoever answers tells observers first.
    changed_.wait(lock, [&] { return !troubles_.empty() || IsReady(answer); });
  }
  std::size_t facts() {
    const std::lock_guard lock(mutex_);
    return observed_.facts.size();
  }
  std::vector<base::Status> troubles() {
    const std::lock_guard lock(mutex_);
    return troubles_;
  }

  /// Afterwards the store and what was observed may be looked at.
  void Stop() {
    if (thread_.joinable()) {
      boost::asio::post(io_,
                        [this] { loop_->Stop([this](const base::Status&) { stay_.reset(); }); });
      thread_.join();
    }
  }
  ports::RunStore& store() { return *store_; }
  const loop::testing::RecordingObserver& observed() const { return observed_; }

  /// What was told is what is stored, each fact once and in order, and every job ended once.
  void ExpectNothingLostOrDoubled(int runs, int jobs_each) {
    Stop();
    EXPECT_TRUE(observed_.in_order);
    std::vector<model::Fact> stored;
    const base::Status status = store_->ReadAll([&stored](const ports::FactRow& row) {
      stored.insert(stored.end(), row.facts.begin(), row.facts.end());
      return true;
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(stored == observed_.facts);
    EXPECT_EQ(observed_.Count<model::RunAccepted>(), runs);
    EXPECT_EQ(observed_.Count<model::RunEnded>(), runs);
    EXPECT_EQ(observed_.Count<model::JobEnded>(), runs * jobs_each);
    std::map<model::AttemptKey, int> ends;
    for (const model::Fact& fact : stored) {
      if (const auto* ended = std::get_if<model::AttemptEnded>(&fact.body)) {
        EXPECT_EQ(++ends[ended->key], 1);
      }
    }
  }

 private:
  void Dispatch(const model::Assignment& assignment) override {
    sink_(loop::testing::Succeeded(assignment.lease));
  }
  void Stop(const model::StopAttempt&) override {}
  void OnDurable(std::uint64_t first_seq, std::span<const model::Fact> facts) override {
    const std::lock_guard lock(mutex_);
    observed_.OnDurable(first_seq, facts);
    for (const model::Fact& fact : facts) {
      ended_ += std::holds_alternative<model::RunEnded>(fact.body) ? 1 : 0;
    }
    changed_.notify_all();
  }
  static bool IsReady(const std::future<loop::Answer>& answer) {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  void Note(const base::Status& status) {
    const std::lock_guard lock(mutex_);
    troubles_.push_back(status);
    changed_.notify_all();
  }
  // The loop never gives up for what passes, so that only the end of all remains.
  bool fatal() const {
    return !troubles_.empty() && troubles_.back().code() != absl::StatusCode::kUnavailable &&
           troubles_.back().code() != absl::StatusCode::kResourceExhausted;
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> stay_{
      io_.get_executor()};  ///< an idle loop has nothing to do, and yet is not over
  loop::SystemClock clock_;
  std::unique_ptr<ports::RunStore> store_;
  std::unique_ptr<loop::EngineLoop> loop_;
  ports::InputSink sink_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under `mutex_` while the thread runs:
  loop::testing::RecordingObserver observed_;
  std::vector<base::Status> troubles_;
  int ended_ = 0;
};

/// Ids of runs accepted on the day that the tests live in.
inline model::RunId RunNumber(int number) {
  return model::RunId(loop::testing::kRun.value() + static_cast<std::uint64_t>(number));
}

}  // namespace tests::postgres
