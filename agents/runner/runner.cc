// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/runner.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "agents/core/ledger.h"
#include "agents/runner/attempt_record.h"
#include "agents/runner/slot.h"
#include "engine/base/check.h"
#include "engine/base/log.h"

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
    shop_.trees = std::make_unique<TreeShelf>(options_.git);
    if (options_.endurance.has_value()) {
      journal_ = options_.endurance->journal;
      shop_.offline = options_.endurance->offline;
    }
    shop_.send = [this](const model::Lease& lease, std::vector<model::Report> reports, bool ended) {
      Send(lease, std::move(reports), ended);
    };
    shop_.freed = [this](std::uint32_t) {
      Pump();
      if (options_.on_idle && busy() == 0 && queued() == 0) {
        options_.on_idle();
      }
    };
    shop_.wake_at = [this](SteadyTime at) { WakeAt(at); };
  }

  base::Status Open();
  void Close();
  void Dispatch(const model::Assignment& assignment);
  void Stop(const model::StopAttempt& stop);
  void Acknowledge(const model::AttemptKey& key);
  void ForgetRun(model::RunId run);
  void SetOffline(base::Duration offline) {
    if (journal_ != nullptr) {
      shop_.offline = offline;
    }
  }
  void EndAll(const model::Reason& reason, bool kill);
  void ForgetEverything();
  core::AttemptState StateOf(const model::AttemptKey& key) const { return ledger_.StateOf(key); }
  std::vector<model::RunId> Runs() const { return ledger_.Runs(); }
  std::size_t queued() const { return queue_.size() + unflushed_.size(); }
  std::size_t busy() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(slots_, [](const auto& slot) { return !slot->is_free(); }));
  }

 private:
  core::Decisions Decide(const core::Input& input);
  void Accept(const model::Assignment& assignment);
  void FlushAccepted();
  void AcceptedFlushed(std::uint64_t up_to, const base::Status& status);
  void Refuse(const model::Lease& lease, const base::Status& why);
  void Recover(Endurance endurance);
  bool Resume(std::uint32_t slot, const SlotSurvivor& survivor,
              std::map<model::AttemptKey, model::Assignment>& assignments);
  void ReportLost(const model::Lease& lease, std::string why);
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
  journal::Journal* journal_ = nullptr;
  struct Accepted {
    std::uint64_t number = 0;  ///< counts what was accepted
    model::Assignment assignment;
  };
  std::deque<Accepted> unflushed_;  ///< must not begin before they are safe
  std::uint64_t accepted_ = 0;
  bool flushing_ = false;
  std::deque<model::Assignment> queue_;
  std::map<model::AttemptKey, model::AttemptReported> results_;
  std::deque<model::AttemptKey> result_order_;  ///< may hold keys whose result is gone
  bool pumping_ = false;
};

base::Status Runner::Core::Open() {
  CHECK(!options_.slots.empty() && slots_.empty());
  for (std::uint32_t i = 0; i < options_.slots.size(); ++i) {
    slots_.push_back(std::make_shared<Slot>(shop_, i, std::move(options_.slots[i])));
    const bool adopt = options_.endurance && options_.endurance->survivors.contains(i);
    RETURN_IF_ERROR(slots_.back()->Open(fmt::format("{}/slot-{}", options_.folder, i), adopt));
  }
  if (options_.endurance.has_value()) {
    Recover(std::move(*options_.endurance));
  }
  return base::OkStatus();
}

// ---- what an earlier process left

void Runner::Core::Recover(Endurance endurance) {
  journal::Recovered& recovered = endurance.recovered;
  ledger_ = std::move(recovered.ledger);
  std::vector<model::Lease> queued = ledger_.In(core::AttemptState::kQueued);
  std::vector<model::Lease> running = ledger_.In(core::AttemptState::kRunning);
  for (const auto& [slot, survivor] : endurance.survivors) {
    if (const auto records = DecodeRecords(survivor.kept); records.ok()) {
      slots_.at(slot)->ReserveLanes(*records);
    }
  }
  for (const auto& [slot, survivor] : endurance.survivors) {
    if (!Resume(slot, survivor, recovered.assignments)) {
      slots_.at(slot)->Scrub();
    }
  }
  for (const model::Lease& lease : running) {
    if (SlotOf(lease.key) == nullptr) {
      ReportLost(lease, recovered.rebooted ? "its machine was started anew"
                                           : "its agent was started anew, and its keeper was gone");
    }
  }
  for (const model::Lease& lease : queued) {
    const auto found = recovered.assignments.find(lease.key);
    if (found == recovered.assignments.end() || recovered.rebooted) {
      // After a power cut nobody knows whether it had begun.
      ReportLost(lease, "its agent was started anew and cannot tell whether it had begun");
      continue;
    }
    found->second.lease = lease;
    unflushed_.push_back({++accepted_, std::move(found->second)});
  }
  FlushAccepted();
}

bool Runner::Core::Resume(std::uint32_t slot, const SlotSurvivor& survivor,
                          std::map<model::AttemptKey, model::Assignment>& assignments) {
  const base::StatusOr<std::vector<AttemptRecord>> records = DecodeRecords(survivor.kept);
  if (!records.ok()) {
    spdlog::warn("slot {}: {}", slot, base::Message(records.status()));
    return false;
  }
  const model::AttemptKey key = std::get<AttemptBegun>(records->front()).key;
  const auto assignment = assignments.find(key);
  if (ledger_.StateOf(key) != core::AttemptState::kRunning || assignment == assignments.end()) {
    return false;
  }
  slots_.at(slot)->Resume(std::move(assignment->second), *records, survivor.starts);
  return true;
}

void Runner::Core::ReportLost(const model::Lease& lease, std::string why) {
  std::vector<model::Report> reports;
  reports.emplace_back(model::ReportEnded{
      .status = model::Status::kFailed,
      .infra = true,
      .reason = {.code = model::ReasonCode::kWorkerLost, .subject = std::move(why)}});
  if (ledger_.StateOf(lease.key) == core::AttemptState::kQueued) {
    Decide(core::SlotTook{lease.key});
  }
  Send(lease, std::move(reports), true);
}

// ---- orders

/// The ledger's decision, in the journal where there is one.
core::Decisions Runner::Core::Decide(const core::Input& input) {
  core::Decisions decisions = ledger_.Step(input);
  if (journal_ != nullptr && decisions.fact.has_value()) {
    if (const base::Status noted = journal_->Note(*decisions.fact); !noted.ok()) {
      // The next life then knows less: it reports the attempt lost instead of going on with it.
      spdlog::error("{}", base::Message(noted));
    }
  }
  return decisions;
}

void Runner::Core::Accept(const model::Assignment& assignment) {
  if (journal_ == nullptr) {
    queue_.push_back(assignment);
    return Pump();
  }
  unflushed_.push_back({++accepted_, assignment});
  FlushAccepted();
}

// One flush at a time; what is accepted meanwhile shares the next.
void Runner::Core::FlushAccepted() {
  if (flushing_ || unflushed_.empty()) {
    return;
  }
  flushing_ = true;
  journal_->Flush([weak = weak_from_this(), io = shop_.io, guard = asio::make_work_guard(*shop_.io),
                   up_to = accepted_](const base::Status& status) {
    asio::post(*io, [weak, guard, up_to, status] {
      if (const std::shared_ptr<Core> self = weak.lock()) {
        self->AcceptedFlushed(up_to, status);
      }
    });
  });
}

void Runner::Core::AcceptedFlushed(std::uint64_t up_to, const base::Status& status) {
  flushing_ = false;
  while (!unflushed_.empty() && unflushed_.front().number <= up_to) {
    model::Assignment next = std::move(unflushed_.front().assignment);
    unflushed_.pop_front();
    if (status.ok()) {
      queue_.push_back(std::move(next));
    } else {
      Refuse(next.lease, status);
    }
  }
  FlushAccepted();
  Pump();
}

void Runner::Core::Refuse(const model::Lease& lease, const base::Status& why) {
  spdlog::error("an attempt is refused: {}", base::Message(why));
  std::vector<model::Report> reports;
  reports.emplace_back(model::ReportEnded{.status = model::Status::kFailed,
                                          .infra = true,
                                          .reason = {.code = model::ReasonCode::kWorkerRefused,
                                                     .subject = std::string(base::Message(why))}});
  Decide(core::SlotTook{lease.key});
  Send(lease, std::move(reports), true);
}

void Runner::Core::EndAll(const model::Reason& reason, bool kill) {
  for (const core::AttemptState state :
       {core::AttemptState::kQueued, core::AttemptState::kRunning}) {
    for (const model::Lease& lease : ledger_.In(state)) {
      Stop({.lease = lease, .kill = kill, .reason = reason, .grace = {}});
    }
  }
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
  if (journal_ != nullptr && ledger_.StateOf(assignment.lease.key) == core::AttemptState::kNew) {
    // Before the fact that it was accepted, so that the one never stands without the other.
    if (const base::Status noted = journal_->NoteAssignment(assignment); !noted.ok()) {
      Decide(core::AssignmentReceived{assignment.lease});
      return Refuse(assignment.lease, noted);
    }
  }
  const core::Decisions decisions = Decide(core::AssignmentReceived{assignment.lease});
  switch (decisions.effect.order) {
    case core::Order::kEnqueue:
      return Accept(assignment);
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
  const core::Decisions decisions = Decide(core::StopReceived{stop.lease, stop.kill});
  const model::Lease& lease = decisions.effect.lease;
  switch (decisions.effect.order) {
    case core::Order::kWithdraw:
      std::erase_if(unflushed_,
                    [&](const Accepted& each) { return each.assignment.lease.key == lease.key; });
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
  Decide(core::ResultAcknowledged{key});
  results_.erase(key);
}

void Runner::Core::ForgetRun(model::RunId run) {
  Decide(core::RunForgotten{run});
  const bool in_use = std::ranges::any_of(
      slots_, [run](const auto& slot) { return !slot->is_free() && slot->lease().key.run == run; });
  if (!in_use) {
    shop_.secrets.erase(run);
  }
  std::erase_if(results_, [run](const auto& entry) { return entry.first.run == run; });
}

void Runner::Core::ForgetEverything() {
  CHECK(busy() == 0 && queued() == 0);
  std::set<model::RunId> runs;
  for (const core::AttemptState state : {core::AttemptState::kHeld, core::AttemptState::kDone}) {
    for (const model::Lease& lease : ledger_.In(state)) {
      runs.insert(lease.key.run);
    }
  }
  for (const model::RunId run : runs) {
    ForgetRun(run);
  }
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
    Decide(core::SlotTook{next.lease.key});
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
  if (!ended) {
    return options_.report(std::move(reported));
  }
  // The report first: a journal that knows of an end has its report, too.
  Keep(reported);
  options_.report(std::move(reported));
  Decide(core::AttemptFinished{lease.key});
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
      Decide(core::ResultDropped{oldest});
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

core::AttemptState Runner::StateOf(const model::AttemptKey& key) const {
  return core_->StateOf(key);
}

std::vector<model::RunId> Runner::Runs() const {
  return core_->Runs();
}

void Runner::ForgetEverything() {
  core_->ForgetEverything();
}

void Runner::SetOffline(base::Duration offline) {
  core_->SetOffline(offline);
}

void Runner::EndAll(const model::Reason& reason, bool kill) {
  core_->EndAll(reason, kill);
}

std::size_t Runner::queued() const {
  return core_->queued();
}

std::size_t Runner::busy_slots() const {
  return core_->busy();
}

}  // namespace agents::runner
