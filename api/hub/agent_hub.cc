// SPDX-License-Identifier: Apache-2.0
#include "api/hub/agent_hub.h"

#include <algorithm>
#include <utility>

#include "engine/base/overloaded.h"

namespace api::hub {

namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
using model::SessionId;
using model::WorkerId;

AgentHub::AgentHub(HubParts parts, HubOptions options)
    : parts_(std::move(parts)), options_(options) {}

void AgentHub::Adopt(const std::vector<std::pair<WorkerId, SessionId>>& workers) {
  for (const auto& [id, session] : workers) {
    Worker& worker = workers_[id];
    worker.session = session;
    worker.standing = Standing::kLive;
  }
}

AgentHub::Worker* AgentHub::Find(WorkerId id, const AgentStream& stream) {
  const auto found = workers_.find(id);
  const bool current = found != workers_.end() && found->second.stream.get() == &stream;
  return current ? &found->second : nullptr;
}

void AgentHub::Touch(WorkerId id, const Worker& worker) {
  if (worker.standing == Standing::kLive && worker.speaks()) {
    parts_.touch(id, worker.session);
  }
}

void AgentHub::Drop(WorkerId id, Worker& worker, const base::Status& status) {
  const std::shared_ptr<AgentStream> stream = std::exchange(worker.stream, nullptr);
  if (stream == nullptr) {
    return;
  }
  const bool was_its_own = worker.standing == Standing::kLive && worker.speaks();
  worker.offered = SessionId();
  stream->Close(status);
  if (was_its_own) {
    parts_.stream_ended(id, worker.session);
  }
}

// ---- a stream begins

void AgentHub::Connected(const std::shared_ptr<AgentStream>& stream, const WorkerIdentity& who,
                         const model::AgentHello& hello) {
  Worker& worker = workers_[who.worker];
  if (const auto older = std::exchange(worker.stream, stream)) {
    older->Close(base::Aborted("a newer stream of worker {} took over", who.worker.value()));
  }
  worker.pool = who.pool;
  worker.host = who.host;
  worker.hello = hello;
  worker.draining = hello.draining;
  worker.offered = SessionId();
  worker.told = 0;
  if (worker.standing != Standing::kNone && hello.session == worker.session) {
    Resume(who.worker, worker);
  } else {
    Offer(worker);
  }
}

// The agent has what is in its journal; the rest of what is held goes out (again).
void AgentHub::Resume(WorkerId id, Worker& worker) {
  const model::AgentHello& hello = worker.hello;
  if (hello.report_life != worker.report_life) {
    RestartReports(worker, hello.report_life, hello.first_report);
  }
  if (hello.orders_received.life == options_.order_life) {
    worker.orders.AcknowledgeTo(hello.orders_received.seq);
  }
  DropOrdersOfEndedAttempts(worker);
  Welcome(worker, worker.session, true);
  for (std::uint64_t seq = worker.orders.first(); seq <= worker.orders.last(); ++seq) {
    worker.stream->Send(model::NumberedOrder{.seq = seq, .order = worker.orders.at(seq)});
  }
  Tell(worker);
  Touch(id, worker);
  // The agent's process may be another than the one that was told.
  if (worker.drained.has_value() && !hello.draining) {
    Give(id, worker.session, *worker.drained);
  }
  AskDrain(id, worker);
  LearnRuns(id, std::exchange(worker.hello.runs, {}));
}

// What an owner before us gave it, and whether it heard that it may forget it, only the agent
// knows: facts about runs that are closed are read by nobody who takes over.
void AgentHub::LearnRuns(WorkerId id, std::vector<model::RunId> runs) {
  if (!parts_.closed_of || runs.empty()) {
    return;
  }
  for (const model::RunId run : runs) {
    run_workers_[run].insert(id);
  }
  parts_.closed_of(std::move(runs),
                   [this, alive = std::weak_ptr(alive_)](const std::vector<model::RunId>& closed) {
                     for (const model::RunId run : closed) {
                       if (!alive.expired()) {
                         OnFact(model::RunClosed{.run = run});
                       }
                     }
                   });
}

void AgentHub::AskDrain(WorkerId id, const Worker& worker) {
  if (worker.draining && worker.speaks()) {
    parts_.take(
        model::DrainRequested{
            .worker = id, .session = worker.session, .stop_attempts = false, .by = "its agent"},
        [](const loop::Answer&) {});
  }
}

// An agent that started again cannot say which orders it had. Of those that it did it may have
// forgotten all, as it was told to: it would do them once more.
void AgentHub::DropOrdersOfEndedAttempts(Worker& worker) const {
  const auto is_over = [this](const model::AgentOrder& order) {
    const auto* assignment = std::get_if<model::Assignment>(&order);
    const auto* stop = std::get_if<model::StopAttempt>(&order);
    return (assignment != nullptr && !under_way_.contains(assignment->lease.key)) ||
           (stop != nullptr && !under_way_.contains(stop->lease.key));
  };
  const std::uint64_t last = worker.orders.last();
  std::vector<model::AgentOrder> left;
  for (std::uint64_t seq = worker.orders.first(); seq <= last; ++seq) {
    if (!is_over(worker.orders.at(seq))) {
      left.push_back(worker.orders.at(seq));
    }
  }
  if (left.size() == worker.orders.size()) {
    return;
  }
  // They get new numbers: the welcome tells where they begin.
  worker.orders.AcknowledgeTo(last);
  for (model::AgentOrder& order : left) {
    worker.orders.Push(std::move(order));
  }
}

// Another life of the agent's process, another session, or another life of ours.
void AgentHub::RestartReports(Worker& worker, std::uint64_t life, std::uint64_t first) {
  worker.report_life = life;
  worker.reports.StartAfter(first - 1);
  worker.answered = worker.told = first - 1;
  worker.answered_ahead.clear();
  worker.refused.clear();
}

// The engine does not know the session (any more). What it holds against the worker stands until
// `AgentBegin`: before that the agent may still be running it.
void AgentHub::Offer(Worker& worker) {
  // Never the same twice, though agents forget, and so do we: newer than all of earlier lives.
  constexpr int kOffersBits = 32;
  const std::uint64_t newest = std::max(worker.hello.session, worker.session).value();
  worker.offered =
      SessionId(std::max(newest + 1, (options_.order_life << kOffersBits) + ++offers_));
  Welcome(worker, worker.offered, false);
}

void AgentHub::Welcome(Worker& worker, SessionId session, bool resumed) {
  worker.stream->Send(model::ServerWelcome{.session = session,
                                           .resumed = resumed,
                                           .reports_received = resumed ? worker.reports.last() : 0,
                                           .offline = options_.offline,
                                           .heartbeat = options_.heartbeat,
                                           .order_life = options_.order_life,
                                           .first_order = resumed ? worker.orders.first() : 1});
}

// ---- a stream goes on, and ends

void AgentHub::Received(const AgentStream& stream, WorkerId id, model::AgentMessage message) {
  if (Worker* worker = Find(id, stream)) {
    Touch(id, *worker);
    std::visit([&](auto& body) { On(id, *worker, body); }, message);
  }
}

void AgentHub::Heard(const AgentStream& stream, WorkerId id) {
  if (const Worker* worker = Find(id, stream)) {
    Touch(id, *worker);
  }
}

void AgentHub::Ended(const AgentStream& stream, WorkerId id) {
  Worker* worker = Find(id, stream);
  if (worker == nullptr) {
    return;
  }
  const bool was_its_own = worker->standing == Standing::kLive && worker->speaks();
  worker->stream = nullptr;
  worker->offered = SessionId();
  if (was_its_own) {
    parts_.stream_ended(id, worker->session);
  } else if (worker->standing == Standing::kNone) {
    workers_.erase(id);
  }
}

void AgentHub::On(WorkerId id, Worker& worker, model::AgentHello& /*hello*/) {
  Drop(id, worker, base::InvalidArgument("hello: it was said already"));
}

void AgentHub::On(WorkerId id, Worker& worker, model::AgentBegin& begin) {
  if (worker.offered.value() == 0 || begin.session != worker.offered) {
    return Drop(id, worker, base::InvalidArgument("begin.session_id: it was not offered"));
  }
  worker.session = std::exchange(worker.offered, SessionId());
  worker.standing = Standing::kJoining;
  worker.orders = {};
  worker.drained.reset();
  RestartReports(worker, worker.hello.report_life, 1);
  parts_.take(model::WorkerConnected{.worker = id,
                                     .session = worker.session,
                                     .pool = worker.pool,
                                     .slots = worker.hello.slots,
                                     .ahead_max = worker.hello.ahead_max,
                                     .owner_restarted = false,
                                     .offer = worker.hello.offer},
              [this, id, session = worker.session,
               alive = std::weak_ptr(alive_)](const loop::Answer& answer) {
                if (!alive.expired()) {
                  OnJoinAnswered(id, session, answer);
                }
              });
  AskDrain(id, worker);
}

void AgentHub::OnJoinAnswered(WorkerId id, SessionId session, const loop::Answer& answer) {
  const auto found = workers_.find(id);
  if (found == workers_.end() || found->second.session != session || !answer.status.ok() ||
      answer.refused.empty()) {
    return;
  }
  if (answer.refused.front().code == model::RefusalCode::kRepeated) {
    found->second.standing = Standing::kLive;
    return;
  }
  found->second.standing = Standing::kNone;
  Drop(id, found->second, base::Aborted("{}", answer.refused.front().message));
}

void AgentHub::On(WorkerId id, Worker& worker, model::AgentHeartbeat& heartbeat) {
  if (worker.speaks() && heartbeat.sent > worker.reports.last()) {
    return Drop(id, worker, base::Aborted("report {} is missing", worker.reports.last() + 1));
  }
  if (worker.offered.value() != 0 && heartbeat.session == worker.offered) {
    return Drop(id, worker, base::Aborted("the beginning of the session is missing"));
  }
  if (worker.speaks() && heartbeat.orders_received.life == options_.order_life) {
    worker.orders.AcknowledgeTo(heartbeat.orders_received.seq);
  }
  worker.stream->Send(model::ServerHeartbeat{.sent = worker.speaks() ? worker.orders.last() : 0});
}

void AgentHub::On(WorkerId id, Worker& worker, model::AgentDrainWanted& /*wanted*/) {
  worker.draining = true;
  AskDrain(id, worker);
}

// ---- reports and their answers

void AgentHub::On(WorkerId id, Worker& worker, model::NumberedReport& numbered) {
  if (!worker.speaks()) {
    return Drop(id, worker, base::InvalidArgument("report: the session has not begun"));
  }
  switch (worker.reports.Take(numbered.seq)) {
    case base::NumberedIntake::Verdict::kNext:
      break;
    case base::NumberedIntake::Verdict::kRepeated:
      return;
    case base::NumberedIntake::Verdict::kGap:
      return Drop(
          id, worker,
          base::Aborted("report.seq: {} came after {}", numbered.seq, worker.reports.last()));
  }
  if (worker.reports.last() - worker.answered > options_.reports_under_way_max) {
    worker.reports.StartAfter(numbered.seq - 1);
    return Drop(id, worker,
                base::ResourceExhausted("report.seq: more than {} reports are not acknowledged",
                                        options_.reports_under_way_max));
  }
  numbered.report.lease.worker = id;
  numbered.report.lease.session = worker.session;
  const ReportPlace place = {id, worker.session, worker.report_life, numbered.seq};
  const model::AttemptKey attempt = numbered.report.lease.key;
  parts_.take(std::move(numbered.report),
              [this, place, attempt, alive = std::weak_ptr(alive_)](const loop::Answer& answer) {
                if (!alive.expired()) {
                  OnReportAnswered(place, attempt, answer);
                }
              });
}

void AgentHub::OnReportAnswered(const ReportPlace& place, const model::AttemptKey& attempt,
                                const loop::Answer& answer) {
  const auto found = workers_.find(place.worker);
  if (!answer.status.ok() || found == workers_.end() || found->second.session != place.session ||
      found->second.report_life != place.life) {
    return;
  }
  Worker& worker = found->second;
  for (const model::Refusal& refusal : answer.refused) {
    worker.refused.push_back({.seq = place.seq,
                              .attempt = attempt,
                              .verdict = model::VerdictOf(refusal.code),
                              .message = refusal.message});
  }
  worker.answered_ahead.insert(place.seq);
  while (worker.answered_ahead.erase(worker.answered + 1) > 0) {
    ++worker.answered;
  }
  TellSoon(place.worker);
}

// Answers of one commit come one by one: one message tells them all.
void AgentHub::TellSoon(WorkerId id) {
  untold_.insert(id);
  if (untold_.size() > 1) {
    return;
  }
  parts_.soon([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) {
      return;
    }
    for (const WorkerId each : std::exchange(untold_, {})) {
      if (const auto found = workers_.find(each); found != workers_.end()) {
        Tell(found->second);
      }
    }
  });
}

void AgentHub::Tell(Worker& worker) {
  if (worker.stream == nullptr || !worker.speaks() || worker.answered <= worker.told) {
    return;
  }
  worker.told = worker.answered;
  model::ReportsAcknowledged told{.seq = worker.answered, .refused = {}};
  // Of those behind a report that has no answer yet, refusals wait with it.
  const auto later =
      std::stable_partition(worker.refused.begin(), worker.refused.end(),
                            [&](const model::RefusedReport& each) { return each.seq <= told.seq; });
  told.refused.assign(std::make_move_iterator(worker.refused.begin()),
                      std::make_move_iterator(later));
  worker.refused.erase(worker.refused.begin(), later);
  worker.stream->Send(told);
}

// ---- orders

void AgentHub::Give(WorkerId id, SessionId session, model::AgentOrder order) {
  Worker& worker = workers_[id];
  if (worker.standing == Standing::kNone && worker.session < session) {
    worker.session = session;
    worker.standing = Standing::kLive;
  }
  if (worker.session != session || worker.standing == Standing::kNone) {
    return;  // of a session that is over
  }
  const std::uint64_t seq = worker.orders.Push(std::move(order));
  if (worker.stream != nullptr && worker.speaks()) {
    worker.stream->Send(model::NumberedOrder{.seq = seq, .order = worker.orders.at(seq)});
  }
}

void AgentHub::Dispatch(const model::Assignment& assignment) {
  run_workers_[assignment.lease.key.run].insert(assignment.lease.worker);
  under_way_.insert(assignment.lease.key);
  Give(assignment.lease.worker, assignment.lease.session, assignment);
}

void AgentHub::Stop(const model::StopAttempt& stop) {
  under_way_.insert(stop.lease.key);
  Give(stop.lease.worker, stop.lease.session, stop);
}

void AgentHub::Drain(const model::DrainWorker& order) {
  Give(order.worker, order.session, model::DrainAgent{order.stop_attempts});
  Worker& worker = workers_[order.worker];
  if (worker.session == order.session) {
    worker.drained = model::DrainAgent{order.stop_attempts};
  }
}

void AgentHub::Retire(WorkerId id) {
  if (const auto found = workers_.find(id); found != workers_.end()) {
    Drop(id, found->second, base::PermissionDenied("worker {} was retired", id.value()));
  }
}

std::vector<ConnectedWorker> AgentHub::Workers() const {
  std::vector<ConnectedWorker> all;
  for (const auto& [id, worker] : workers_) {
    all.push_back({.worker = id,
                   .session = worker.session,
                   .pool = worker.pool,
                   .host = worker.host,
                   .version = worker.hello.version,
                   .slots = worker.hello.slots,
                   .connected = worker.stream != nullptr,
                   .draining = worker.draining || worker.drained.has_value(),
                   .orders_held = worker.orders.size(),
                   .reports_under_way = worker.reports.last() - worker.answered});
  }
  return all;
}

// ---- what became true

void AgentHub::OnDurable(std::uint64_t /*first_seq*/, std::span<const model::Fact> facts) {
  for (const model::Fact& fact : facts) {
    std::visit(base::Overloaded{[this](const model::WorkerJoined& body) { OnFact(body); },
                                [this](const model::WorkerLost& body) { OnFact(body); },
                                [this](const model::WorkerMarkedSuspect& body) { OnFact(body); },
                                [this](const model::RunClosed& body) { OnFact(body); },
                                [this](const model::AttemptEnded& body) { OnFact(body); },
                                [](const auto&) {}},
               fact.body);
  }
}

void AgentHub::OnFact(const model::WorkerJoined& fact) {
  Worker& worker = workers_[fact.worker];
  if (worker.session <= fact.session) {
    worker.session = fact.session;
    worker.standing = Standing::kLive;
  }
}

void AgentHub::OnFact(const model::WorkerLost& fact) {
  const auto found = workers_.find(fact.worker);
  if (found == workers_.end() || found->second.standing != Standing::kLive) {
    return;  // an older session, while the next one joins
  }
  Worker& worker = found->second;
  const bool clearing = worker.offered.value() != 0;
  worker.standing = Standing::kNone;
  worker.orders = {};
  worker.drained.reset();
  if (!clearing) {
    Drop(fact.worker, worker, base::Aborted("the session is over: connect again"));
    workers_.erase(found);
  }
}

void AgentHub::OnFact(const model::WorkerMarkedSuspect& fact) {
  const auto found = workers_.find(fact.worker);
  if (parts_.watch != nullptr && found != workers_.end()) {
    parts_.watch->Ask(fact.worker, found->second.session);
  }
}

void AgentHub::OnFact(const model::RunClosed& fact) {
  const auto workers = run_workers_.extract(fact.run);
  if (workers.empty()) {
    return;
  }
  for (const WorkerId id : workers.mapped()) {
    if (const auto found = workers_.find(id); found != workers_.end()) {
      Give(id, found->second.session, model::ForgetRun{fact.run});
    }
  }
}

}  // namespace api::hub
