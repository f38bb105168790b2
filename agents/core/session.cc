// SPDX-License-Identifier: Apache-2.0
#include "agents/core/session.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/overloaded.h"

namespace agents::core {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using P = SessionPhase;
using T = SessionTrigger;

constexpr std::array<SessionTransition, 14> kTransitions = {{
    {T::kDialDue, P::kWaiting, P::kDialling},
    {T::kStreamUp, P::kDialling, P::kGreeting},
    {T::kResumed, P::kGreeting, P::kLive},
    {T::kAnew, P::kGreeting, P::kClearing},
    {T::kCleared, P::kClearing, P::kLive},
    {T::kLost, P::kDialling, P::kWaiting},
    {T::kLost, P::kGreeting, P::kWaiting},
    {T::kLost, P::kClearing, P::kWaiting},
    {T::kLost, P::kLive, P::kWaiting},
    {T::kRefused, P::kWaiting, P::kRefused},
    {T::kRefused, P::kDialling, P::kRefused},
    {T::kRefused, P::kGreeting, P::kRefused},
    {T::kRefused, P::kClearing, P::kRefused},
    {T::kRefused, P::kLive, P::kRefused},
}};

bool HasEnd(const model::AttemptReported& report) {
  return std::ranges::any_of(report.reports, [](const model::Report& each) {
    return std::holds_alternative<model::ReportEnded>(each);
  });
}

}  // namespace

std::span<const SessionTransition> SessionTransitions() {
  return kTransitions;
}

Session::Session(SessionOptions options, Instant now)
    : options_(std::move(options)),
      made_(now),
      dial_at_(now),
      heard_(now),
      contact_(std::min(now, options_.contact.value_or(now))),
      now_(now) {
  CHECK(!options_.addresses.empty());
}

void Session::Apply(const SessionFact& fact) {
  std::visit(base::Overloaded{[this](const SessionBegun& begun) {
                                session_ = begun.session;
                                reports_ = {};
                                sent_ = 0;
                              },
                              [this](const ReportHeld& held) { reports_.Push(held.report); },
                              [this](const ReportsForgotten& forgotten) {
                                reports_.AcknowledgeTo(reports_.first() + forgotten.count - 1);
                              }},
             fact);
}

SessionDecisions Session::Step(const SessionInput& input, Instant now, std::uint64_t draw) {
  now_ = std::max(now_, now);
  draw_ = draw;
  std::visit([this](const auto& body) { On(body); }, input);
  return std::exchange(decisions_, {});
}

bool Session::Fire(SessionTrigger trigger) {
  const auto* row = std::ranges::find_if(kTransitions, [&](const SessionTransition& each) {
    return each.trigger == trigger && each.from == phase_;
  });
  if (row == kTransitions.end()) {
    return false;
  }
  phase_ = row->to;
  return true;
}

void Session::Note(SessionFact fact) {
  Apply(fact);
  decisions_.facts.push_back(std::move(fact));
}

bool Session::has_stream() const {
  return phase_ != P::kWaiting && phase_ != P::kRefused;
}

void Session::Send(model::AgentMessage message) {
  decisions_.effects.emplace_back(SendMessage{.stream = stream_, .message = std::move(message)});
}

// ---- time

std::optional<base::Instant> Session::NextDeadline() const {
  if (phase_ == P::kRefused) {
    return std::nullopt;
  }
  Instant next = has_stream() ? heard_ + options_.silent_after : dial_at_;
  if (phase_ == P::kLive || phase_ == P::kClearing) {
    next = std::min(next, heartbeat_at_);
  }
  if (!offline_ended_) {
    next = std::min(next, contact_ + options_.offline);
  }
  return next;
}

void Session::On(const TimePassed& /*input*/) {
  if (phase_ == P::kRefused) {
    return;
  }
  if (!offline_ended_ && now_ >= contact_ + options_.offline) {
    offline_ended_ = true;
    decisions_.effects.emplace_back(EndOffline{});
  }
  if (has_stream() && now_ >= heard_ + options_.silent_after) {
    Lose("nothing was heard of the server", "");
  }
  if ((phase_ == P::kLive || phase_ == P::kClearing) && now_ >= heartbeat_at_) {
    SendHeartbeat();
  }
  if (phase_ == P::kWaiting && now_ >= dial_at_) {
    DialNext();
  }
}

void Session::SendHeartbeat() {
  heartbeat_at_ = now_ + options_.heartbeat;
  orders_said_ = taken_.seq;
  Send(model::AgentHeartbeat{.orders_received = taken_,
                             .sent = sent_,
                             .session = phase_ == P::kLive ? session_ : model::SessionId()});
}

// ---- the stream comes and goes

void Session::DialNext() {
  Fire(T::kDialDue);
  ++stream_;
  heard_ = now_;
  std::string address = std::exchange(owner_, {});
  if (address.empty()) {
    address = options_.addresses[next_address_++ % options_.addresses.size()];
  }
  dialled_ = address;
  decisions_.effects.emplace_back(Dial{.stream = stream_, .address = std::move(address)});
}

void Session::On(const StreamUp& input) {
  if (input.stream != stream_ || !Fire(T::kStreamUp)) {
    return;
  }
  drain_said_ = draining_;
  Send(model::AgentHello{.session = session_,
                         .slots = options_.slots,
                         .ahead_max = options_.ahead_max,
                         .orders_received = taken_,
                         .report_life = options_.report_life,
                         .first_report = reports_.first(),
                         .draining = draining_,
                         .version = options_.version,
                         .offer = options_.offer});
}

void Session::On(const StreamDown& input) {
  if (input.stream == stream_ && has_stream()) {
    working_ = input.working;
    Lose("", input.owner);
  }
}

// `why` is not empty when it is us who end the stream.
void Session::Lose(std::string why, const std::string& owner) {
  const bool welcomed = phase_ == P::kLive || phase_ == P::kClearing;
  if (!Fire(T::kLost)) {
    return;
  }
  if (!why.empty()) {
    decisions_.effects.emplace_back(HangUp{.stream = stream_, .why = std::move(why)});
  }
  ++stream_;  // what still comes of the old one is ignored
  // One that points at itself knows no better: the others are asked.
  owner_ = owner == dialled_ ? "" : owner;
  unwelcome_ += welcomed ? 0 : 1;
  DialAgain();
}

// A server that does not answer costs nothing: the next one is asked at once, and so is the owner
// that one names. Pauses come between rounds over all addresses. A second name in a round ends it,
// for servers may point at each other; and so does a lost stream, as others lost it, too.
void Session::DialAgain() {
  const bool follow = !owner_.empty() && !hint_followed_;
  const bool ask_next = owner_.empty() && unwelcome_ < options_.addresses.size();
  if (unwelcome_ > 0 && (follow || ask_next)) {
    hint_followed_ = hint_followed_ || follow;
    return DialNext();
  }
  dial_at_ = now_ + PauseOfRound();
  rounds_ += unwelcome_ > 0 ? 1 : 0;
  unwelcome_ = 0;
  hint_followed_ = false;
}

// Half of the pause is fixed, half is drawn: agents that lost the same server do not come as one.
base::Duration Session::PauseOfRound() const {
  const bool eager = working_ || now_ < std::max(contact_, made_) + options_.eager_for;
  const std::uint32_t doublings = std::min(rounds_, 16U);
  const base::Duration longest = std::min(
      options_.backoff_first * (1 << doublings),
      eager ? std::min(options_.backoff_eager_max, options_.backoff_max) : options_.backoff_max);
  const auto half = static_cast<std::uint64_t>(longest.count()) / 2;
  return base::Duration(static_cast<std::int64_t>(half + draw_ % (half + 1)));
}

void Session::On(const WorkerRefused& input) {
  if (Fire(T::kRefused)) {
    decisions_.effects.emplace_back(EndEverything{});
    decisions_.effects.emplace_back(GiveUp{input.why});
  }
}

// ---- messages

void Session::On(const MessageCame& input) {
  if (input.stream != stream_ || !has_stream() || phase_ == P::kDialling) {
    return;
  }
  heard_ = contact_ = now_;
  offline_ended_ = false;
  const bool welcome = std::holds_alternative<model::ServerWelcome>(input.message);
  if (welcome != (phase_ == P::kGreeting)) {
    return Lose("a message came out of turn", "");
  }
  std::visit([this](const auto& message) { OnMessage(message); }, input.message);
}

void Session::OnMessage(const model::ServerWelcome& welcome) {
  rounds_ = 0;
  unwelcome_ = 0;
  hint_followed_ = false;
  options_.offline = std::max(welcome.offline, base::Duration(std::chrono::seconds(1)));
  options_.heartbeat = std::clamp(welcome.heartbeat, base::Duration(std::chrono::milliseconds(10)),
                                  options_.silent_after / 2);
  taken_ = {.life = welcome.order_life, .seq = welcome.first_order - 1};
  orders_said_ = taken_.seq;
  orders_.StartAfter(taken_.seq);
  heartbeat_at_ = now_ + options_.heartbeat;
  if (!welcome.resumed) {
    Fire(T::kAnew);
    next_session_ = welcome.session;
    decisions_.effects.emplace_back(EndEverything{});
    return SayDrain();
  }
  Fire(T::kResumed);
  sent_ = std::clamp(welcome.reports_received, reports_.first() - 1, reports_.last());
  SayDrain();
  SendReports();
}

void Session::On(const AttemptsCleared& /*input*/) {
  if (!Fire(T::kCleared)) {
    return;
  }
  Note(SessionBegun{next_session_});
  Send(model::AgentBegin{next_session_});
  SendReports();
}

void Session::OnMessage(const model::NumberedOrder& order) {
  switch (orders_.Take(order.seq)) {
    case base::NumberedIntake::Verdict::kNext:
      decisions_.effects.emplace_back(TakeOrder{.stream = stream_, .order = order});
      return;
    case base::NumberedIntake::Verdict::kRepeated:
      return;
    case base::NumberedIntake::Verdict::kGap:
      return Lose(fmt::format("order {} came after order {}", order.seq, orders_.last()), "");
  }
}

void Session::On(const OrderTaken& input) {
  if (input.stream != stream_ || input.seq != taken_.seq + 1) {
    return;  // of an older stream: it comes again, and is taken again
  }
  taken_.seq = input.seq;
  if (phase_ == P::kLive && taken_.seq - orders_said_ >= options_.orders_unsaid_max) {
    SendHeartbeat();
  }
}

void Session::OnMessage(const model::ServerHeartbeat& heartbeat) {
  if (heartbeat.sent > orders_.last()) {
    Lose(fmt::format("order {} is missing", orders_.last() + 1), "");
  }
}

// ---- reports

void Session::On(const ReportMade& input) {
  if (phase_ == P::kRefused || phase_ == P::kClearing) {
    return;  // the session that it belongs to is over
  }
  Note(ReportHeld{input.report});
  SendReports();
}

void Session::SendReports() {
  while (phase_ == P::kLive && sent_ < reports_.last() &&
         sent_ + 1 - reports_.first() < options_.reports_under_way_max) {
    ++sent_;
    Send(model::NumberedReport{.seq = sent_, .report = reports_.at(sent_)});
  }
}

void Session::OnMessage(const model::ReportsAcknowledged& acknowledged) {
  if (phase_ != P::kLive) {
    return;
  }
  if (acknowledged.seq > sent_) {
    return Lose("reports were acknowledged that were not sent", "");
  }
  for (const model::RefusedReport& refused : acknowledged.refused) {
    if (refused.verdict == model::ReportVerdict::kStale ||
        refused.verdict == model::ReportVerdict::kEnded) {
      decisions_.effects.emplace_back(EndStale{refused.attempt});
    }
  }
  SettleTo(acknowledged.seq);
  SendReports();
}

void Session::SettleTo(std::uint64_t number) {
  std::uint64_t gone = 0;
  for (std::uint64_t each = reports_.first(); each <= number; ++each, ++gone) {
    if (HasEnd(reports_.at(each))) {
      decisions_.effects.emplace_back(ResultSettled{reports_.at(each).lease.key});
    }
  }
  if (gone > 0) {
    Note(ReportsForgotten{gone});
  }
}

void Session::On(const DrainWanted& /*input*/) {
  draining_ = true;
  SayDrain();
}

// Once a stream; `Hello` may have gone out before it was wanted.
void Session::SayDrain() {
  if (draining_ && !drain_said_ && (phase_ == P::kLive || phase_ == P::kClearing)) {
    drain_said_ = true;
    Send(model::AgentDrainWanted{});
  }
}

}  // namespace agents::core
