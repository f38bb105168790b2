// SPDX-License-Identifier: Apache-2.0
// For tests: an agent with its real session and runner, keepers on this host, and no journal. Lives
// on the thread of the test.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "agents/runner/runner.h"
#include "agents/session/agent_session.h"
#include "agents/session/identity.h"
#include "engine/base/overloaded.h"
#include "engine/base/random.h"
#include "executors/sandboxes/host_sandbox.h"
#include "tests/support/temp_folder.h"

namespace tests::remote {

class TestAgent : private agents::session::Workload {
 public:
  TestAgent(agents::session::AgentIdentity identity, std::vector<std::string> addresses)
      : identity_(std::move(identity)), addresses_(std::move(addresses)) {
    MakeRunner();
    agents::session::AgentSessionOptions options;
    options.session.addresses = addresses_;
    options.session.slots = 2;
    options.session.report_life = ++lives_;
    options.session.backoff_first = std::chrono::milliseconds(10);
    options.identity = identity_;
    options.monotonic_now = [] {
      return engine::base::Instant(std::chrono::duration_cast<engine::base::Duration>(
          std::chrono::steady_clock::now().time_since_epoch()));
    };
    options.utc_now = [this] { return identity_.renew_at - std::chrono::hours(1) + utc_ahead; };
    options.renewed = [this](const agents::session::AgentIdentity&) { ++renewed_; };
    options.draw = [this] { return random_.Next(); };
    session_ = std::make_unique<agents::session::AgentSession>(
        io_, std::move(options), static_cast<agents::session::Workload&>(*this));
    session_->Start();
  }
  ~TestAgent() override {
    session_.reset();
    runner_.reset();
  }

  /// Works until `done`, or for so long that something must be wrong.
  bool RunUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done() && std::chrono::steady_clock::now() < end) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(20));
    }
    return done();
  }

  agents::session::AgentSession& session() { return *session_; }
  const std::string& gave_up() const { return gave_up_; }
  int renewed() const { return renewed_; }
  std::string folder() const { return folder_.path().string(); }
  engine::base::Duration utc_ahead{0};  ///< set before time matters

 private:
  void MakeRunner() {
    const std::string base = folder() + "/" + std::to_string(++runners_);
    std::filesystem::create_directories(base + "/tmp");
    agents::runner::RunnerOptions options;
    options.folder = base + "/tmp";
    options.report = [this](engine::model::Input input) {
      session_->Report(std::get<engine::model::AttemptReported>(input));
    };
    for (std::uint32_t slot = 0; slot < 2; ++slot) {
      auto made = executors::sandboxes::StartHostSandbox(
          io_, {.run_folder = base, .slot = slot, .keeper_program = DAYFLY_KEEPER});
      EXPECT_TRUE(made.ok()) << made.status();
      options.slots.push_back(*std::move(made));
    }
    runner_ = std::make_unique<agents::runner::Runner>(io_, std::move(options));
    EXPECT_TRUE(runner_->Open().ok());
  }

  // agents::session::Workload
  void Note(const std::vector<agents::core::SessionFact>& /*facts*/,
            std::function<void()> noted) override {
    noted();
  }
  void Take(const engine::model::AgentOrder& order, std::function<void()> taken) override {
    std::visit(engine::base::Overloaded{
                   [this](const engine::model::Assignment& body) {
                     leases_[body.lease.key] = body.lease;
                     runner_->Dispatch(body);
                   },
                   [this](const engine::model::StopAttempt& body) { runner_->Stop(body); },
                   [](const engine::model::DrainAgent&) {},
                   [this](const engine::model::ForgetRun& body) { runner_->ForgetRun(body.run); }},
               order);
    taken();
  }
  bool IsWorking() const override { return runner_->busy_slots() > 0; }
  void EndEverything(std::function<void()> cleared) override {
    runner_.reset();
    leases_.clear();
    MakeRunner();
    cleared();
  }
  void EndOffline() override {
    for (const auto& [key, lease] : leases_) {
      runner_->Stop(
          {.lease = lease, .kill = false, .reason = {}, .grace = std::chrono::seconds(1)});
    }
  }
  void EndStale(const engine::model::AttemptKey& attempt) override {
    if (const auto found = leases_.find(attempt); found != leases_.end()) {
      runner_->Stop({.lease = found->second, .kill = true, .reason = {}, .grace = {}});
    }
  }
  void Settle(const engine::model::AttemptKey& attempt) override {
    leases_.erase(attempt);
    runner_->Acknowledge(attempt);
  }
  void GiveUp(const std::string& why) override { gave_up_ = why; }

  static inline std::uint64_t lives_ = 0;
  tests::support::TempFolder folder_;
  boost::asio::io_context io_;
  engine::base::Random random_{7};
  agents::session::AgentIdentity identity_;
  std::vector<std::string> addresses_;
  std::unique_ptr<agents::runner::Runner> runner_;
  std::unique_ptr<agents::session::AgentSession> session_;
  std::map<engine::model::AttemptKey, engine::model::Lease> leases_;
  int runners_ = 0;
  int renewed_ = 0;
  std::string gave_up_;
};

}  // namespace tests::remote
