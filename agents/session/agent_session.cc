// SPDX-License-Identifier: Apache-2.0
#include "agents/session/agent_session.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "agents/session/server_line.h"
#include "api/wire/agent_messages.h"
#include "engine/base/overloaded.h"

namespace agents::session {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace wire = api::wire;

namespace {

/// A renewal that failed is tried again after so long.
constexpr auto kRenewAgain = std::chrono::minutes(1);
constexpr auto kTellHeardEvery = std::chrono::seconds(1);

bool IsRefusal(const base::Status& status) {
  return status.code() == absl::StatusCode::kPermissionDenied ||
         status.code() == absl::StatusCode::kUnauthenticated;
}

}  // namespace

class AgentSession::Core : public std::enable_shared_from_this<AgentSession::Core> {
 public:
  Core(asio::io_context& io, AgentSessionOptions options, Workload& workload)
      : io_(io),
        options_(std::move(options)),
        workload_(workload),
        timer_(io),
        session_(options_.session, options_.monotonic_now()) {
    for (const core::SessionFact& fact : options_.recovered) {
      session_.Apply(fact);
    }
    options_.recovered.clear();
  }

  void Step(const core::SessionInput& input);
  void Close();
  bool SendLog(pb::AgentMessage message);
  const core::Session& session() const { return session_; }
  const std::string& address() const { return address_; }
  const AgentIdentity& identity() const { return options_.identity; }

 private:
  /// The effects of one step wait for its facts, and for the steps before it.
  struct Pending {
    std::vector<core::SessionEffect> effects;
    bool noted = false;
  };

  void Flush();
  void Perform(const core::SessionEffect& effect);
  void Do(const core::Dial& dial);
  void Do(const core::HangUp& hang_up);
  void Do(const core::SendMessage& send);
  model::AgentMessage WithRuns(model::AgentHello hello) const;
  void Do(const core::TakeOrder& take);
  void Do(const core::EndEverything& end);
  void Do(const core::EndOffline& end);
  void Do(const core::EndStale& end);
  void Do(const core::ResultSettled& settled);
  void Do(const core::GiveUp& give_up);

  void OnEnded(core::StreamNumber stream, const base::Status& status, const std::string& owner);
  void Arm();
  void MaybeRenew();
  void OnRenewed(const std::string& key, const base::StatusOr<pb::RenewResponse>& response);
  void TellLive();
  void TellHeard();
  void Say(const std::string& text) {
    if (options_.note) {
      options_.note(text);
    }
  }
  /// For callbacks: nothing once the session is closed.
  template <typename What>
  auto Guarded(What what) {
    return [weak = weak_from_this(), what = std::move(what)](auto&&... arguments) {
      if (const auto self = weak.lock(); self != nullptr && !self->closed_) {
        what(std::forward<decltype(arguments)>(arguments)...);
      }
    };
  }

  asio::io_context& io_;
  AgentSessionOptions options_;
  Workload& workload_;
  asio::steady_timer timer_;
  core::Session session_;
  std::deque<std::shared_ptr<Pending>> pending_;
  bool flushing_ = false;
  const std::shared_ptr<CallsUnderWay> calls_ = std::make_shared<CallsUnderWay>();
  std::shared_ptr<ServerLine> line_;
  core::StreamNumber line_number_ = 0;
  std::string address_;
  bool told_live_ = false;
  base::Instant told_contact_{};
  bool renewing_ = false;
  base::Instant renew_again_{};
  bool closed_ = false;
};

void AgentSession::Core::Step(const core::SessionInput& input) {
  if (closed_) {
    return;
  }
  core::SessionDecisions decisions =
      session_.Step(input, options_.monotonic_now(), options_.draw());
  auto pending = std::make_shared<Pending>();
  pending->effects = std::move(decisions.effects);
  pending->noted = decisions.facts.empty();
  pending_.push_back(pending);
  if (!pending->noted) {
    workload_.Note(decisions.facts, Guarded([this, pending] {
                     pending->noted = true;
                     Flush();
                   }));
  }
  Flush();
}

// What an effect leads to comes back as another step: it queues behind.
void AgentSession::Core::Flush() {
  if (std::exchange(flushing_, true)) {
    return;
  }
  while (!pending_.empty() && pending_.front()->noted && !closed_) {
    const std::shared_ptr<Pending> next = std::move(pending_.front());
    pending_.pop_front();
    for (const core::SessionEffect& effect : next->effects) {
      Perform(effect);
    }
  }
  flushing_ = false;
  TellLive();
  TellHeard();
  Arm();
}

void AgentSession::Core::Perform(const core::SessionEffect& effect) {
  std::visit([this](const auto& body) { Do(body); }, effect);
}

// ---- the stream

void AgentSession::Core::Do(const core::Dial& dial) {
  const base::Instant now = options_.utc_now();
  if (now > options_.identity.valid_to + wire::kClockSkew) {
    return Step(core::WorkerRefused{"the certificate has expired; register anew"});
  }
  line_number_ = dial.stream;
  address_ = dial.address;
  const core::StreamNumber stream = dial.stream;
  LineEvents events;
  events.up = Guarded([this, stream] { Step(core::StreamUp{stream}); });
  events.message = Guarded([this, stream](model::ServerMessage message) {
    Step(core::MessageCame{stream, std::move(message)});
  });
  events.log_acknowledged = Guarded([this](const pb::LogAcknowledged& acknowledged) {
    if (options_.log_acknowledged) {
      options_.log_acknowledged(acknowledged);
    }
  });
  events.ended = Guarded([this, stream](const base::Status& status, const std::string& owner) {
    OnEnded(stream, status, owner);
  });
  line_ = ServerLine::Open(io_, dial.address, options_.identity.authority, options_.identity.pair,
                           std::move(events), calls_);
}

void AgentSession::Core::OnEnded(core::StreamNumber stream, const base::Status& status,
                                 const std::string& owner) {
  if (stream != line_number_) {
    return;
  }
  line_.reset();
  Say(fmt::format("the server ended the stream: {}", base::Message(status)));
  if (IsRefusal(status)) {
    Step(core::WorkerRefused{std::string(base::Message(status))});
  } else {
    Step(core::StreamDown{.stream = stream, .owner = owner, .working = workload_.IsWorking()});
  }
}

void AgentSession::Core::Do(const core::HangUp& hang_up) {
  if (line_ != nullptr && hang_up.stream == line_number_) {
    Say(fmt::format("hung up: {}", hang_up.why));
    line_->HangUp();
    line_.reset();
  }
}

void AgentSession::Core::Do(const core::SendMessage& send) {
  if (line_ != nullptr && send.stream == line_number_) {
    pb::AgentMessage message;
    if (const auto* hello = std::get_if<model::AgentHello>(&send.message)) {
      wire::ToWire(WithRuns(*hello), &message);
    } else {
      wire::ToWire(send.message, &message);
    }
    line_->Send(std::move(message));
  }
}

// The ledger is the workload's, not the session's.
model::AgentMessage AgentSession::Core::WithRuns(model::AgentHello hello) const {
  hello.runs = workload_.RunsRemembered();
  if (hello.runs.size() > model::kHelloRunsMax) {
    hello.runs.resize(model::kHelloRunsMax);
  }
  return hello;
}

bool AgentSession::Core::SendLog(pb::AgentMessage message) {
  if (closed_ || line_ == nullptr || session_.phase() != core::SessionPhase::kLive) {
    return false;
  }
  line_->Send(std::move(message));
  return true;
}

void AgentSession::Core::TellLive() {
  const bool live = line_ != nullptr && session_.phase() == core::SessionPhase::kLive;
  if (std::exchange(told_live_, live) != live && options_.live && !closed_) {
    options_.live(live);
  }
}

void AgentSession::Core::TellHeard() {
  const base::Instant contact = session_.contact();
  if (options_.heard && !closed_ && told_live_ && contact >= told_contact_ + kTellHeardEvery) {
    told_contact_ = contact;
    options_.heard(contact, session_.offline());
  }
}

// ---- the work

void AgentSession::Core::Do(const core::TakeOrder& take) {
  model::AgentOrder order = take.order.order;
  const auto name = [this](model::Lease& lease) {
    lease.worker = options_.identity.worker;
    lease.session = session_.session();
  };
  std::visit(base::Overloaded{[&](model::Assignment& body) { name(body.lease); },
                              [&](model::StopAttempt& body) { name(body.lease); }, [](auto&) {}},
             order);
  workload_.Take(order, Guarded([this, stream = take.stream, seq = take.order.seq] {
                   Step(core::OrderTaken{stream, seq});
                 }));
}

void AgentSession::Core::Do(const core::EndEverything& /*end*/) {
  workload_.EndEverything(Guarded([this] { Step(core::AttemptsCleared{}); }));
}

void AgentSession::Core::Do(const core::EndOffline& /*end*/) {
  Say("no server was heard for too long: the attempts are ended");
  workload_.EndOffline();
}

void AgentSession::Core::Do(const core::EndStale& end) {
  workload_.EndStale(end.attempt);
}

void AgentSession::Core::Do(const core::ResultSettled& settled) {
  workload_.Settle(settled.attempt);
}

void AgentSession::Core::Do(const core::GiveUp& give_up) {
  Say(give_up.why);
  if (line_ != nullptr) {
    line_->HangUp();
    line_.reset();
  }
  workload_.GiveUp(give_up.why);
}

// ---- time

void AgentSession::Core::Arm() {
  const auto next = session_.NextDeadline();
  if (!next || closed_) {
    return;
  }
  const base::Duration delay = std::max(*next - options_.monotonic_now(), base::Duration(0));
  timer_.expires_after(delay);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (const auto self = weak.lock(); self != nullptr && !error && !self->closed_) {
      self->MaybeRenew();
      self->Step(core::TimePassed{});
    }
  });
}

// Looked at with every heartbeat, which is often enough for what lives a day.
void AgentSession::Core::MaybeRenew() {
  const base::Instant now = options_.utc_now();
  if (renewing_ || line_ == nullptr || session_.phase() != core::SessionPhase::kLive ||
      now < std::max(options_.identity.renew_at, renew_again_)) {
    return;
  }
  renew_again_ = now + kRenewAgain;
  const auto key = wire::MakeKey();
  const auto request = key.ok() ? wire::MakeRequest(*key) : key;
  if (!request.ok()) {
    return Say(fmt::format("the certificate was not renewed: {}", base::Message(request.status())));
  }
  renewing_ = true;
  line_->Renew(*request, Guarded([this, key = *key](const base::StatusOr<pb::RenewResponse>& got) {
    OnRenewed(key, got);
  }));
}

// It counts from the next stream on; the one that stands stays.
void AgentSession::Core::OnRenewed(const std::string& key,
                                   const base::StatusOr<pb::RenewResponse>& response) {
  renewing_ = false;
  base::StatusOr<AgentIdentity> fresh =
      response.ok() ? MakeIdentity({.certificate = response->certificate(), .key = key},
                                   response->authority())
                    : response.status();
  if (fresh.ok() && fresh->worker != options_.identity.worker) {
    fresh = base::Internal("it names another worker");
  }
  if (fresh.ok() && !options_.identity_folder.empty()) {
    if (const base::Status saved = SaveIdentity(options_.identity_folder, *fresh); !saved.ok()) {
      fresh = saved;
    }
  }
  if (!fresh.ok()) {
    return Say(fmt::format("the certificate was not renewed: {}", base::Message(fresh.status())));
  }
  options_.identity = *std::move(fresh);
  if (options_.renewed) {
    options_.renewed(options_.identity);
  }
}

void AgentSession::Core::Close() {
  closed_ = true;
  timer_.cancel();
  if (line_ != nullptr) {
    line_->HangUp();
    line_.reset();
  }
  calls_->Wait();
}

// ---- the outside

AgentSession::AgentSession(asio::io_context& io, AgentSessionOptions options, Workload& workload)
    : core_(std::make_shared<Core>(io, std::move(options), workload)) {}

AgentSession::~AgentSession() {
  core_->Close();
}

void AgentSession::Start() {
  core_->Step(core::TimePassed{});
}

void AgentSession::Report(const model::AttemptReported& report) {
  core_->Step(core::ReportMade{report});
}

void AgentSession::Drain() {
  core_->Step(core::DrainWanted{});
}

bool AgentSession::SendLog(pb::AgentMessage message) {
  return core_->SendLog(std::move(message));
}

model::SessionId AgentSession::session() const {
  return core_->session().session();
}

bool AgentSession::live() const {
  return core_->session().phase() == core::SessionPhase::kLive;
}

const std::string& AgentSession::address() const {
  return core_->address();
}

const AgentIdentity& AgentSession::identity() const {
  return core_->identity();
}

std::size_t AgentSession::reports_held() const {
  return core_->session().reports_held();
}

}  // namespace agents::session
