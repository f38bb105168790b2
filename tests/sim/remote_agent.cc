// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/remote_agent.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/overloaded.h"

namespace tests::sim {

using namespace engine::model;  // NOLINT(google-build-using-namespace)
namespace core = agents::core;
using engine::base::Overloaded;
using std::chrono::milliseconds;
using std::chrono::minutes;

namespace {

// `offline`, and time enough for what was begun before it to end.
constexpr auto kWorksOnAlone = minutes(16);

bool HasEnd(const AttemptReported& report) {
  return std::ranges::any_of(report.reports, [](const engine::model::Report& each) {
    return std::holds_alternative<ReportEnded>(each);
  });
}

}  // namespace

RemoteAgent::RemoteAgent(WorkerId worker, AgentSurroundings execution,
                         RemoteSurroundings surroundings)
    : worker_(worker), world_(std::move(surroundings)) {
  execution.orders_are_filtered = true;
  execution.report = [this](const AttemptReported& report) { OnReport(report); };
  execution.executed = [this, executed = std::move(execution.executed)](const Lease& lease) {
    if (ledger_ != nullptr) {
      Move(core::SlotTook{lease.key});
    }
    executed(lease);
  };
  execution.step_begins = [this] {
    if (world_.random->OneIn(world_.faults->agent_restarts, 1000)) {
      RestartSoon(world_.random->OneIn(world_.faults->journal_wiped, 1000));
    }
    if (world_.random->OneIn(world_.faults->agent_drains, 1000)) {
      WantDrain();
    }
    if (world_.schedule->Now() > contact_ + kWorksOnAlone) {
      world_.breach("an agent without a server began a step long after `offline`");
    }
  };
  execution_ = std::make_unique<Agent>(worker, SessionId(), world_.slots, std::move(execution));
}

bool RemoteAgent::quiet() const {
  return session_ != nullptr && execution_->quiet() && session_->reports_held() == 0 &&
         session_->phase() == core::SessionPhase::kLive;
}

// ---- the process

void RemoteAgent::Start() {
  ++life_;
  drained_ = leaving_ = false;
  contact_ = world_.schedule->Now();
  core::SessionOptions options;
  options.addresses = world_.addresses;
  options.slots = world_.slots;
  options.offer = world_.offer;
  options.ahead_max = world_.ahead_max;
  options.report_life = Draw() | 1;
  session_ = std::make_unique<core::Session>(std::move(options), contact_);
  ledger_ = std::make_unique<core::Ledger>();
  for (const auto& entry : journal_) {
    std::visit(Overloaded{[this](const core::SessionFact& fact) { session_->Apply(fact); },
                          [this](const core::Fact& fact) { ledger_->Apply(fact); }},
               entry);
  }
  RecoverAttempts();
  Step(core::TimePassed{});
}

// The keepers tell what became of the running attempts; some did not live.
void RemoteAgent::RecoverAttempts() {
  for (const AttemptReported& report : std::exchange(unheard_, {})) {
    OnReport(report);
  }
  const std::vector<AttemptKey> running = execution_->running();
  for (const Lease& lease : ledger_->In(core::AttemptState::kRunning)) {
    const bool there = std::ranges::find(running, lease.key) != running.end();
    if (!there || world_.random->OneIn(1, 3)) {
      execution_->Abort(lease.key);
      SayEnded(lease, Status::kFailed, true);
    }
  }
  for (const Lease& lease : ledger_->In(core::AttemptState::kQueued)) {
    execution_->Dispatched(assignments_.at(lease.key));
  }
}

void RemoteAgent::Kill() {
  ++life_;
  execution_->Kill();  // the rest stays: it may be at work further up the stack
}

// It may be at work further up the stack.
void RemoteAgent::RestartSoon(bool wipe) {
  world_.schedule->After({}, [this, wipe, life = life_] {
    if (life == life_) {
      Restart(wipe);
    }
  });
}

void RemoteAgent::Restart(bool wipe) {
  if (session_ == nullptr || !alive()) {
    return;
  }
  world_.died();
  ++life_;
  session_.reset();
  ledger_.reset();
  execution_->DropQueued();
  if (wipe) {
    journal_.clear();
    assignments_.clear();
    unheard_.clear();
  }
  const std::uint64_t life = life_;
  world_.schedule->After(milliseconds(100 + world_.random->Below(5000)), [this, life, wipe] {
    if (alive() && life == life_) {
      if (wipe) {
        unheard_.clear();
      }
      Start();
    }
  });
}

void RemoteAgent::Arm() {
  if (!alive()) {
    return;
  }
  const auto next = session_->NextDeadline();
  if (!next) {
    return;
  }
  const std::uint64_t life = life_;
  const std::uint64_t armed = ++armed_;
  world_.schedule->At(*next, [this, life, armed] {
    if (alive() && life == life_ && armed == armed_) {
      Step(core::TimePassed{});
    }
  });
}

// ---- the session

void RemoteAgent::Hear(const core::SessionInput& input) {
  if (session_ == nullptr || !alive()) {
    return;
  }
  if (std::holds_alternative<core::MessageCame>(input)) {
    contact_ = world_.schedule->Now();
  }
  Step(input);
}

// The facts are in the journal before anything is done; the process may die in between.
void RemoteAgent::Step(const core::SessionInput& input) {
  core::SessionDecisions decisions = session_->Step(input, world_.schedule->Now(), Draw());
  for (core::SessionFact& fact : decisions.facts) {
    journal_.emplace_back(std::move(fact));
  }
  std::ranges::move(decisions.effects, std::back_inserter(effects_));
  if (std::exchange(performing_, true)) {
    return;  // what an effect leads to queues behind the others
  }
  while (!effects_.empty()) {
    if (world_.random->OneIn(world_.faults->agent_restarts, 20'000)) {
      effects_.clear();
      RestartSoon(false);
      break;
    }
    const core::SessionEffect next = std::move(effects_.front());
    effects_.pop_front();
    Perform(next);
  }
  performing_ = false;
  Arm();
  LeaveSoon();
}

// As `dayfly agent`: only once the server has confirmed that it gives nothing more.
void RemoteAgent::LeaveSoon() {
  if (!drained_ || leaving_ || !alive() || !quiet()) {
    return;
  }
  leaving_ = true;
  world_.schedule->After({}, [this, life = life_] {
    leaving_ = false;
    if (life == life_ && drained_ && alive() && quiet()) {
      world_.left();
    }
  });
}

void RemoteAgent::Perform(const core::SessionEffect& effect) {
  std::visit(
      Overloaded{[this](const core::Dial& dial) { world_.dial(dial.stream, dial.address); },
                 [this](const core::HangUp& hang_up) { world_.hang_up(hang_up.stream); },
                 [this](const core::SendMessage& send) {
                   if (std::holds_alternative<AgentBegin>(send.message) && !execution_->quiet()) {
                     world_.breach("a session began while attempts of an older one were there");
                   }
                   world_.send(send.stream, send.message);
                 },
                 [this](const core::TakeOrder& take) { Take(take); },
                 [this](const core::EndEverything&) {
                   drained_ = false;  // of the session that is over
                   execution_->AbortAll();
                   assignments_.clear();
                   std::erase_if(journal_, [](const auto& entry) {
                     return std::holds_alternative<core::Fact>(entry);
                   });
                   ledger_ = std::make_unique<core::Ledger>();
                   world_.schedule->After(milliseconds(world_.random->Below(300)),
                                          [this, life = life_] {
                                            if (life == life_) {
                                              Hear(core::AttemptsCleared{});
                                            }
                                          });
                 },
                 [this](const core::EndOffline&) { EndAll(); },
                 [this](const core::EndStale& end) {
                   if (ledger_->StateOf(end.attempt) == core::AttemptState::kRunning) {
                     const Lease lease = {end.attempt, worker_, session_->session()};
                     execution_->Stopped({.lease = lease, .kill = true, .reason = {}, .grace = {}});
                   }
                 },
                 [this](const core::ResultSettled& settled) {
                   Move(core::ResultAcknowledged{settled.attempt});
                 },
                 [this](const core::GiveUp&) { world_.breach("an agent gave up"); }},
      effect);
}

// Not from inside a step: what it leads to comes after what is under way.
void RemoteAgent::WantDrain() {
  world_.schedule->After({}, [this, life = life_] {
    if (life == life_) {
      Hear(core::DrainWanted{});
    }
  });
}

void RemoteAgent::EndAll() {
  const Reason reason{.code = ReasonCode::kWorkerLost, .subject = "no server was heard"};
  for (const core::AttemptState state :
       {core::AttemptState::kQueued, core::AttemptState::kRunning}) {
    for (const Lease& lease : ledger_->In(state)) {
      Take(StopAttempt{.lease = lease, .kill = true, .reason = reason, .grace = {}});
    }
  }
}

// ---- orders

void RemoteAgent::Take(const core::TakeOrder& take) {
  const SessionId session = session_->session();
  AgentOrder order = take.order.order;
  std::visit(Overloaded{[&](Assignment& body) {
                          body.lease.worker = worker_;
                          body.lease.session = session;
                          Take(body);
                        },
                        [&](StopAttempt& body) {
                          body.lease.worker = worker_;
                          body.lease.session = session;
                          Take(body);
                        },
                        [&](const DrainAgent& body) {
                          drained_ = true;
                          WantDrain();
                          if (body.stop_attempts) {
                            EndAll();
                          }
                        },
                        [&](const ForgetRun& body) { Move(core::RunForgotten{body.run}); }},
             order);
  const std::uint64_t life = life_;
  world_.schedule->After(engine::base::Duration(world_.random->Below(3000)),
                         [this, life, stream = take.stream, seq = take.order.seq] {
                           if (life == life_) {
                             Hear(core::OrderTaken{stream, seq});
                           }
                         });
}

core::Effect RemoteAgent::Move(const core::Input& input) {
  core::Decisions decisions = ledger_->Step(input);
  if (decisions.fact) {
    journal_.emplace_back(*decisions.fact);
  }
  return decisions.effect;
}

void RemoteAgent::Take(const Assignment& assignment) {
  assignments_[assignment.lease.key] = assignment;
  const core::Effect effect = Move(core::AssignmentReceived{assignment.lease});
  if (effect.order == core::Order::kEnqueue) {
    execution_->Dispatched(assignment);
  } else if (effect.order == core::Order::kRefuseRepeated) {
    Hear(core::ReportMade{
        {assignment.lease, {ReportEnded{.status = Status::kFailed, .infra = true}}}});
  }
  // A result that is held is on its way already.
}

void RemoteAgent::Take(const StopAttempt& stop) {
  switch (Move(core::StopReceived{stop.lease, stop.kill}).order) {
    case core::Order::kWithdraw:
    case core::Order::kRefuse:
    case core::Order::kEndRunning:
      execution_->Stopped(stop);
      return;
    case core::Order::kNothing:
    case core::Order::kEnqueue:
    case core::Order::kSendResult:
    case core::Order::kRefuseRepeated:
      return;
  }
}

// ---- reports

void RemoteAgent::SayEnded(const Lease& lease, Status status, bool infra) {
  OnReport({lease, {ReportEnded{.status = status, .infra = infra}}});
}

void RemoteAgent::OnReport(const AttemptReported& report) {
  if (session_ == nullptr) {
    unheard_.push_back(report);
    return;
  }
  // The result first: an attempt that counts as ended must have one.
  Step(core::ReportMade{report});
  if (ledger_ != nullptr && HasEnd(report)) {
    Move(core::AttemptFinished{report.lease.key});
  }
}

}  // namespace tests::sim
