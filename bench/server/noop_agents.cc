// SPDX-License-Identifier: Apache-2.0
#include "bench/server/noop_agents.h"

#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "agents/session/agent_session.h"
#include "agents/session/workload.h"
#include "engine/base/random.h"

namespace bench::server {

namespace base = engine::base;
namespace model = engine::model;
namespace session = agents::session;

namespace {

template <typename Clock>
base::Instant NowOf() {
  return base::Instant(std::chrono::duration_cast<base::Duration>(Clock::now().time_since_epoch()));
}

model::AttemptReported Success(const model::Assignment& assignment) {
  const model::StepIndex step(0);
  model::ReportStepEnded ended;
  ended.step = step;
  return {.lease = assignment.lease,
          .reports = {model::ReportStarted{}, model::ReportStepStarted{step}, ended,
                      model::ReportEnded{}}};
}

}  // namespace

class NoopAgents::Agent final : public session::Workload {
 public:
  Agent(NoopAgents& noop, const session::AgentIdentity& identity, const NoopAgentsOptions& options,
        std::uint64_t seed)
      : owner_(noop), hold_(options.hold), note_times_(options.note_times), random_(seed) {
    session::AgentSessionOptions wanted;
    wanted.session.addresses = {options.address};
    wanted.session.slots = options.slots;
    wanted.session.ahead_max = options.ahead_max;
    wanted.session.report_life = seed + 1;
    wanted.identity = identity;
    wanted.monotonic_now = NowOf<std::chrono::steady_clock>;
    wanted.utc_now = NowOf<std::chrono::system_clock>;
    wanted.draw = [this] { return random_.Next(); };
    wanted.live = [this](bool live) { owner_.live_ += live ? 1 : -1; };
    session_ = std::make_unique<session::AgentSession>(owner_.io_, std::move(wanted), *this);
    session_->Start();
  }

  // session::Workload
  void Note(const std::vector<agents::core::SessionFact>& /*facts*/,
            std::function<void()> noted) override {
    noted();
  }
  void Take(const model::AgentOrder& order, std::function<void()> taken) override {
    taken();
    if (const auto* assignment = std::get_if<model::Assignment>(&order)) {
      ++owner_.attempts_;
      if (note_times_) {
        const std::lock_guard lock(owner_.mutex_);
        owner_.taken_at_.emplace(assignment->lease.key, NowOf<std::chrono::system_clock>());
      }
      if (!hold_) {
        session_->Report(Success(*assignment));
      }
    }
  }
  bool IsWorking() const override { return false; }
  void EndEverything(std::function<void()> cleared) override { cleared(); }
  void EndOffline() override {}
  void EndStale(const model::AttemptKey& /*attempt*/) override {}
  void Settle(const model::AttemptKey& /*attempt*/) override {}
  void GiveUp(const std::string& why) override {
    fmt::print(stderr, "bench: an agent gave up: {}\n", why);
  }

 private:
  NoopAgents& owner_;
  bool hold_;
  bool note_times_;
  base::Random random_;
  std::unique_ptr<session::AgentSession> session_;
};

NoopAgents::NoopAgents(const std::vector<session::AgentIdentity>& identities,
                       const NoopAgentsOptions& options)
    : work_(boost::asio::make_work_guard(io_)) {
  std::random_device device;
  for (const session::AgentIdentity& identity : identities) {
    agents_.push_back(std::make_unique<Agent>(*this, identity, options, device()));
  }
  thread_ = std::thread([this] { io_.run(); });
}

NoopAgents::~NoopAgents() {
  io_.stop();
  thread_.join();
  agents_.clear();
}

base::Instant NoopAgents::TakenAt(const model::AttemptKey& attempt) const {
  const std::lock_guard lock(mutex_);
  const auto found = taken_at_.find(attempt);
  return found == taken_at_.end() ? base::Instant() : found->second;
}

void NoopAgents::AwaitLive() const {
  while (live_ < agents_.size()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace bench::server
