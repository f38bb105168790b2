// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/runner.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "agents/core/ledger.h"
#include "agents/runner/slot.h"
#include "engine/base/check.h"

namespace agents::runner {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;

// Results kept when nobody acknowledges them: far more than can be on their way to a commit.
constexpr std::size_t kResultsKept = 4096;

}  // namespace

class Runner::Core : public std::enable_shared_from_this<Runner::Core> {
 public:
  Core(asio::io_context& io, RunnerOptions options)
      : options_(std::move(options)), pool_(std::max(1U, options_.io_threads)), alarm_(io) {
    shop_.io = &io;
    shop_.pool = &pool_;
    shop_.options = &options_;
    shop_.secrets = std::make_unique<SecretValues>(options_.secrets);
    shop_.send = [this](const model::Lease& lease, std::vector<model::Report> reports, bool ended) {
      Send(lease, std::move(reports), ended);
    };
    shop_.freed = [this](std::uint32_t) { Pump(); };
    shop_.wake_at = [this](SteadyTime at) { WakeAt(at); };
  }

  base::Status Open();
  void Close();
  void Dispatch(const model::Assignment& assignment);
  void Stop(const model::StopAttempt& stop);
  void Acknowledge(const model::AttemptKey& key);
  void ForgetRun(model::RunId run);
  std::size_t queued() const { return queue_.size(); }
  std::size_t busy() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(slots_, [](const auto& slot) { return !slot->is_free(); }));
  }

 private:
  void Pump();
  Slot* SlotOf(const model::AttemptKey& key);
  void Send(const model::Lease& lease, std::vector<model::Report> reports, bool ended);
  void SendUnbegun(const model::Lease& lease, const model::Reason& reason);
  void Resend(const model::Lease& lease);
  void RefuseRepeated(const model::Lease& lease);
  void Keep(const model::AttemptReported& result);
  void WakeAt(SteadyTime at);
  void OnAlarm();

  RunnerOptions options_;
  asio::thread_pool pool_;
  asio::steady_timer alarm_;
  SteadyTime armed_ = SteadyTime::max();
  Workshop shop_;
  std::vector<std::shared_ptr<Slot>> slots_;
  core::Ledger ledger_;
  std::deque<model::Assignment> queue_;
  std::map<model::AttemptKey, model::AttemptReported> results_;
  std::deque<model::AttemptKey> result_order_;  ///< may hold keys whose result is gone
  bool pumping_ = false;
};

base::Status Runner::Core::Open() {
  CHECK(!options_.slots.empty() && slots_.empty());
  for (std::uint32_t i = 0; i < options_.slots.size(); ++i) {
    slots_.push_back(std::make_shared<Slot>(shop_, i, std::move(options_.slots[i])));
    RETURN_IF_ERROR(slots_.back()->Open(fmt::format("{}/slot-{}", options_.folder, i)));
  }
  return base::OkStatus();
}

void Runner::Core::Close() {
  alarm_.cancel();
  slots_.clear();  // which also tells the pool's work to stop, where it can
  pool_.join();
  for (std::uint32_t i = 0; i < options_.slots.size(); ++i) {
    RemoveTree(fmt::format("{}/slot-{}", options_.folder, i));
  }
}

void Runner::Core::Dispatch(const model::Assignment& assignment) {
  const core::Decisions decisions = ledger_.Step(core::AssignmentReceived{assignment.lease});
  switch (decisions.effect.order) {
    case core::Order::kEnqueue:
      queue_.push_back(assignment);
      return Pump();
    case core::Order::kSendResult:
      return Resend(decisions.effect.lease);
    case core::Order::kRefuseRepeated:
      return RefuseRepeated(decisions.effect.lease);
    case core::Order::kNothing:
    case core::Order::kWithdraw:
    case core::Order::kRefuse:
    case core::Order::kEndRunning:
      break;
  }
  if (Slot* slot = SlotOf(assignment.lease.key); slot != nullptr && decisions.fact.has_value()) {
    slot->Adopt(decisions.effect.lease);
  }
}

void Runner::Core::Stop(const model::StopAttempt& stop) {
  const core::Decisions decisions = ledger_.Step(core::StopReceived{stop.lease, stop.kill});
  const model::Lease& lease = decisions.effect.lease;
  switch (decisions.effect.order) {
    case core::Order::kWithdraw:
      std::erase_if(queue_,
                    [&](const model::Assignment& each) { return each.lease.key == lease.key; });
      return SendUnbegun(lease, stop.reason);
    case core::Order::kRefuse:
      return SendUnbegun(lease, stop.reason);
    case core::Order::kEndRunning:
      if (Slot* slot = SlotOf(lease.key); slot != nullptr) {
        slot->Adopt(lease);
        slot->Stop(stop);
      }
      return;
    case core::Order::kSendResult:
      return Resend(lease);
    case core::Order::kRefuseRepeated:
      return RefuseRepeated(lease);
    case core::Order::kNothing:
    case core::Order::kEnqueue:
      return;
  }
}

void Runner::Core::Acknowledge(const model::AttemptKey& key) {
  ledger_.Step(core::ResultAcknowledged{key});
  results_.erase(key);
}

void Runner::Core::ForgetRun(model::RunId run) {
  ledger_.Step(core::RunForgotten{run});
  std::erase_if(results_, [run](const auto& entry) { return entry.first.run == run; });
}

// A slot may become free again while it is being given an attempt (it could not be set up): the
// loop then goes on here, not one call deeper.
void Runner::Core::Pump() {
  if (pumping_) {
    return;
  }
  pumping_ = true;
  while (!queue_.empty()) {
    const auto slot =
        std::ranges::find_if(slots_, [](const auto& each) { return each->is_free(); });
    if (slot == slots_.end()) {
      break;
    }
    model::Assignment next = std::move(queue_.front());
    queue_.pop_front();
    ledger_.Step(core::SlotTook{next.lease.key});
    (*slot)->Begin(std::move(next));
  }
  pumping_ = false;
}

Slot* Runner::Core::SlotOf(const model::AttemptKey& key) {
  const auto slot = std::ranges::find_if(
      slots_, [&](const auto& each) { return !each->is_free() && each->lease().key == key; });
  return slot == slots_.end() ? nullptr : slot->get();
}

void Runner::Core::Send(const model::Lease& lease, std::vector<model::Report> reports, bool ended) {
  model::AttemptReported reported = {.lease = lease, .reports = std::move(reports)};
  if (ended) {
    ledger_.Step(core::AttemptFinished{lease.key});
    Keep(reported);
  }
  options_.report(std::move(reported));
}

void Runner::Core::SendUnbegun(const model::Lease& lease, const model::Reason& reason) {
  model::AttemptReported reported = {.lease = lease, .reports = {}};
  reported.reports.emplace_back(
      model::ReportEnded{.status = model::Status::kCancelled, .reason = reason});
  Keep(reported);
  options_.report(std::move(reported));
}

void Runner::Core::Keep(const model::AttemptReported& result) {
  results_[result.lease.key] = result;
  result_order_.push_back(result.lease.key);
  while (result_order_.size() > kResultsKept) {
    const model::AttemptKey oldest = result_order_.front();
    result_order_.pop_front();
    if (results_.erase(oldest) != 0) {
      ledger_.Step(core::ResultDropped{oldest});
    }
  }
}

void Runner::Core::Resend(const model::Lease& lease) {
  const auto found = results_.find(lease.key);
  if (found == results_.end()) {
    return RefuseRepeated(lease);
  }
  found->second.lease = lease;
  options_.report(found->second);
}

void Runner::Core::RefuseRepeated(const model::Lease& lease) {
  model::AttemptReported reported = {.lease = lease, .reports = {}};
  reported.reports.emplace_back(model::ReportEnded{
      .status = model::Status::kFailed,
      .infra = true,
      .reason = {.code = model::ReasonCode::kWorkerRefused,
                 .subject = "it ended before and its result is no longer known here"}});
  options_.report(std::move(reported));
}

// One timer for all deadlines of all slots; an attempt that ends early leaves it armed, and it then
// finds nothing to do. So an attempt costs no timer of its own.
void Runner::Core::WakeAt(SteadyTime at) {
  if (at >= armed_) {
    return;
  }
  armed_ = at;
  alarm_.expires_at(at);
  alarm_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (const std::shared_ptr<Core> self = weak.lock(); self != nullptr && !error) {
      self->OnAlarm();
    }
  });
}

void Runner::Core::OnAlarm() {
  armed_ = SteadyTime::max();
  const SteadyTime now = std::chrono::steady_clock::now();
  SteadyTime next = SteadyTime::max();
  for (const std::shared_ptr<Slot>& slot : slots_) {
    if (slot->NextDeadline() <= now) {
      slot->OnDeadline(now);
    }
    next = std::min(next, slot->NextDeadline());
  }
  if (next != SteadyTime::max()) {
    WakeAt(next);
  }
}

Runner::Runner(asio::io_context& io, RunnerOptions options)
    : core_(std::make_shared<Core>(io, std::move(options))) {}

Runner::~Runner() {
  core_->Close();
}

base::Status Runner::Open() {
  return core_->Open();
}

void Runner::Dispatch(const model::Assignment& assignment) {
  core_->Dispatch(assignment);
}

void Runner::Stop(const model::StopAttempt& stop) {
  core_->Stop(stop);
}

void Runner::Acknowledge(const model::AttemptKey& key) {
  core_->Acknowledge(key);
}

void Runner::ForgetRun(model::RunId run) {
  core_->ForgetRun(run);
}

std::size_t Runner::queued() const {
  return core_->queued();
}

std::size_t Runner::busy_slots() const {
  return core_->busy();
}

}  // namespace agents::runner
