// SPDX-License-Identifier: Apache-2.0
// The loop with its real threads, timer and store.
#include "engine/loop/engine_loop.h"

#include <atomic>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/loop/loop_scene.h"
#include "engine/loop/system_clock.h"
#include "store/sqlite/sqlite_run_store.h"
#include "tests/support/temp_folder.h"

namespace engine::loop::testing {
namespace {

using tests::support::TempFolder;

// A worker in this process whose attempts all succeed at once.
class InstantWorker : public ports::AgentLink {
 public:
  explicit InstantWorker(ports::InputSink sink) : sink_(std::move(sink)) {}
  void Dispatch(const model::Assignment& assignment) override {
    sink_(Succeeded(assignment.lease));
  }
  void Stop(const model::StopAttempt&) override {}

 private:
  ports::InputSink sink_;
};

class WhenRunEnds : public Observer {
 public:
  explicit WhenRunEnds(std::function<void()> then) : then_(std::move(then)) {}
  void OnDurable(std::uint64_t, std::span<const model::Fact> facts) override {
    for (const model::Fact& fact : facts) {
      if (std::holds_alternative<model::RunEnded>(fact.body)) {
        then_();
      }
    }
  }

 private:
  std::function<void()> then_;
};

class EngineLoopTest : public ::testing::Test {
 protected:
  void Open(LoopOptions options = {}) {
    auto store = store::sqlite::OpenSqliteRunStore(folder_.File("facts.db"));
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    loop_ = std::make_unique<EngineLoop>(io_, *store_, clock_, std::move(options));
    ASSERT_TRUE(loop_->Recover().ok());
    link_ = std::make_unique<InstantWorker>(loop_->Sink());
  }
  // Runs until the loop has stopped, which it does once the run has ended.
  void RunToTheEnd() {
    WhenRunEnds stop([this] { loop_->Stop([](const base::Status&) {}); });
    loop_->AddObserver(&stop);
    loop_->AddObserver(&observer_);
    loop_->Start(*link_);
    io_.run();
    loop_->RemoveObserver(&stop);
  }

  TempFolder folder_;
  boost::asio::io_context io_{1};
  SystemClock clock_;
  std::unique_ptr<ports::RunStore> store_;
  std::unique_ptr<EngineLoop> loop_;
  std::unique_ptr<InstantWorker> link_;
  RecordingObserver observer_;
};

TEST_F(EngineLoopTest, RunsJobsAndStops) {
  Open();
  Answer answer{base::Unavailable("none yet"), {}};
  ASSERT_TRUE(loop_->Post(Worker(model::SessionId(1))).ok());
  ASSERT_TRUE(
      loop_->Post(Submit(JobsAside(50)), [&answer](const Answer& given) { answer = given; }).ok());
  RunToTheEnd();
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(observer_.Count<model::JobEnded>(), 50);
  EXPECT_TRUE(observer_.in_order);
  EXPECT_EQ(store_->Recover()->seq, observer_.facts.size());
  EXPECT_EQ(loop_->counters().commits, store_->counters().commits);
}

TEST_F(EngineLoopTest, TakesInputsFromAnyThread) {
  Open();
  constexpr int kThreads = 4;
  std::atomic<int> answers{0};
  std::vector<std::thread> threads;
  ASSERT_TRUE(loop_->Post(Worker(model::SessionId(1))).ok());
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i, &answers] {
      for (std::uint64_t n = 0; n < 25; ++n) {
        const model::RunId run(kRun.value() + static_cast<std::uint64_t>(i) * 100 + n);
        const base::Status status =
            loop_->Post(Submit(JobsAside(1), run), [&answers](const Answer& answer) {
              answers += answer.status.ok() && answer.refused.empty() ? 1 : 0;
            });
        EXPECT_TRUE(status.ok()) << status;
      }
    });
  }
  int ended = 0;
  // Nothing may have been posted yet: that is no end of the work.
  auto more_to_come = boost::asio::make_work_guard(io_);
  WhenRunEnds count([&] {
    if (++ended == kThreads * 25) {
      loop_->Stop([](const base::Status&) {});
      more_to_come.reset();
    }
  });
  loop_->AddObserver(&count);
  loop_->Start(*link_);
  io_.run();
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(answers, kThreads * 25);
}

TEST_F(EngineLoopTest, AFullInboxRefusesClientsButNeverWorkers) {
  Open({.inbox_max = 2});
  EXPECT_TRUE(loop_->Post(Worker(model::SessionId(1))).ok());
  EXPECT_TRUE(loop_->Post(Submit(JobsAside(1))).ok());
  EXPECT_EQ(loop_->Post(model::CancelRun{.run = kRun}).code(),
            absl::StatusCode::kResourceExhausted);
  loop_->Sink()(model::WorkerSuspected{kWorker, model::SessionId(1)});
  RunToTheEnd();
  EXPECT_EQ(loop_->counters().inputs, 4U) << "worker, run, suspicion, report";
}

TEST_F(EngineLoopTest, GivesUpOnADiskThatStaysFullAndTheRunCanGoOn) {
  base::Status fatal;
  int troubles = 0;
  LoopOptions options;
  options.sequencer.failures_max = 2;
  options.sequencer.first_pause = std::chrono::milliseconds(1);
  options.on_trouble = [&troubles](const base::Status&) { ++troubles; };
  options.on_fatal = [&fatal, this](const base::Status& status) {
    fatal = status;
    io_.stop();
  };
  auto store = store::sqlite::OpenSqliteRunStore(folder_.File("facts.db"),
                                                 {.checkpoint_pages = 0, .max_pages = 14});
  ASSERT_TRUE(store.ok()) << store.status();
  loop_ = std::make_unique<EngineLoop>(io_, **store, clock_, options);
  ASSERT_TRUE(loop_->Recover().ok());
  link_ = std::make_unique<InstantWorker>(loop_->Sink());
  ASSERT_TRUE(loop_->Post(Worker(model::SessionId(1))).ok());
  ASSERT_TRUE(loop_->Post(Submit(JobsAside(300))).ok());
  loop_->Start(*link_);
  io_.run();
  EXPECT_EQ(fatal.code(), absl::StatusCode::kResourceExhausted) << fatal;
  EXPECT_EQ(troubles, 2);
  loop_.reset();
  store->reset();

  io_.restart();
  Open();
  model::WorkerConnected worker = Worker(model::SessionId(2));
  worker.owner_restarted = true;
  ASSERT_TRUE(loop_->Post(worker).ok());
  if (store_->Recover()->seq < 2) {
    ASSERT_TRUE(loop_->Post(Submit(JobsAside(300))).ok());
  }
  RunToTheEnd();
  EXPECT_EQ(observer_.Count<model::RunEnded>(), 1);
}

TEST_F(EngineLoopTest, WhatWasPostedBeforeTheStopStillCounts) {
  Open();
  loop_->AddObserver(&observer_);
  loop_->Start(*link_);
  ASSERT_TRUE(loop_->Post(Submit(JobsAside(1))).ok());
  loop_->Stop([](const base::Status& status) { EXPECT_TRUE(status.ok()) << status; });
  io_.run();
  EXPECT_EQ(observer_.Count<model::RunAccepted>(), 1);
}

TEST_F(EngineLoopTest, CanBeDestroyedWithWorkUnderWay) {
  Open();
  ASSERT_TRUE(loop_->Post(Worker(model::SessionId(1))).ok());
  ASSERT_TRUE(loop_->Post(Submit(JobsAside(5))).ok());
  loop_->Start(*link_);
  const ports::InputSink sink = loop_->Sink();
  io_.run_one();
  loop_.reset();
  sink(model::WorkerSuspected{kWorker, model::SessionId(1)});
  io_.run();
  EXPECT_TRUE(store_->Recover().ok());
}

TEST_F(EngineLoopTest, ReadsWhatIsDurable) {
  Open();
  std::vector<model::RunId> open;
  bool done = false;
  ASSERT_TRUE(loop_
                  ->Post(Submit(JobsAside(1)),
                         [&](const Answer&) {
                           loop_->Read([&](const core::EngineCore& core, base::Instant) {
                             open = core.OpenRuns();
                             loop_->Stop([&done](const base::Status&) { done = true; });
                           });
                         })
                  .ok());
  loop_->Start(*link_);
  while (!done) {
    ASSERT_GT(io_.run_one(), 0U);
  }
  EXPECT_THAT(open, ::testing::ElementsAre(kRun));
}

TEST(SystemClock, NeverGoesBack) {
  SystemClock clock;
  base::Instant last = clock.Now();
  for (int i = 0; i < 10'000; ++i) {
    const base::Instant now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace engine::loop::testing
