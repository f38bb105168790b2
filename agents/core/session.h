// SPDX-License-Identifier: Apache-2.0
// How an agent keeps in touch with its server, as a pure machine beside the ledger: when it dials,
// what it says first, which reports are sent (again) and when they may be forgotten, and what it
// does when nobody answers. It reads no clock, draws nothing, does no I/O, never throws; any input
// in any phase is answered. The conversation is told in docs/agent-protocol.md.
//
//            DialDue             StreamUp             welcome: resumed
//  waiting ──────────▶ dialling ──────────▶ greeting ─────────────────▶ live
//     ▲                   │                    │ welcome: anew            ▲
//     │                   │                    ▼                          │ AttemptsCleared
//     └───────────────────┴──────────────── clearing ─────────────────────┘
//       the stream ended, or was hung up (silence, a gap), in any of the four
//
// The caller makes the facts durable (written; `SessionBegun` flushed) before it performs the
// effects of the same step.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/numbered.h"
#include "engine/base/time.h"
#include "engine/model/agent_message.h"

namespace agents::core {

/// Counts the dialled streams; what belongs to an older one is ignored.
using StreamNumber = std::uint64_t;

// ---- inputs: what was seen

/// Time went on, to `NextDeadline` or not.
struct TimePassed {};
/// The dialled stream takes words. Whether a server is there shows with its first one.
struct StreamUp {
  StreamNumber stream = 0;
};
/// It could not be made, or ended. `owner`: the server named who owns the shard; dial that.
/// `working`: attempts run here or wait.
struct StreamDown {
  StreamNumber stream = 0;
  std::string owner;
  bool working = false;
};
/// The server will never again take this worker: retired, or its certificate is refused.
struct WorkerRefused {
  std::string why;
};
struct MessageCame {
  StreamNumber stream = 0;
  engine::model::ServerMessage message;
};
/// What `TakeOrder` handed out stands in the journal.
struct OrderTaken {
  StreamNumber stream = 0;
  std::uint64_t seq = 0;
};
/// After `EndEverything`: no process, no queue, no result is left.
struct AttemptsCleared {};
/// The runner has something to say.
struct ReportMade {
  engine::model::AttemptReported report;
};
/// Somebody wants this agent to leave (SIGTERM, idle).
struct DrainWanted {};

using SessionInput = std::variant<TimePassed, StreamUp, StreamDown, WorkerRefused, MessageCame,
                                  OrderTaken, AttemptsCleared, ReportMade, DrainWanted>;

// ---- facts: the journal

struct SessionBegun {
  engine::model::SessionId session;
  friend bool operator==(const SessionBegun&, const SessionBegun&) = default;
};
struct ReportHeld {
  engine::model::AttemptReported report;
};
/// The oldest `count` reports that are held.
struct ReportsForgotten {
  std::uint64_t count = 0;
  friend bool operator==(const ReportsForgotten&, const ReportsForgotten&) = default;
};
using SessionFact = std::variant<SessionBegun, ReportHeld, ReportsForgotten>;

// ---- effects: what must be done

struct Dial {
  StreamNumber stream = 0;
  std::string address;
};
struct HangUp {
  StreamNumber stream = 0;
  std::string why;
};
struct SendMessage {
  StreamNumber stream = 0;
  engine::model::AgentMessage message;
};
/// Journal it, perform it, answer with `OrderTaken`. Leases name this worker's session.
struct TakeOrder {
  StreamNumber stream = 0;
  engine::model::NumberedOrder order;
};
/// The session is over: kill all attempts, drop all results, answer with `AttemptsCleared`.
struct EndEverything {};
/// Nobody was heard for `offline`: end all attempts (signal, grace, kill, `finally`), keep results.
struct EndOffline {};
/// The attempt is not (or no longer) this session's: end it, whatever it is doing.
struct EndStale {
  engine::model::AttemptKey attempt;
};
/// The attempt's end is durable at the server or was refused: its result may go.
struct ResultSettled {
  engine::model::AttemptKey attempt;
};
/// Nothing will ever be said again; end everything and leave.
struct GiveUp {
  std::string why;
};
using SessionEffect = std::variant<Dial, HangUp, SendMessage, TakeOrder, EndEverything, EndOffline,
                                   EndStale, ResultSettled, GiveUp>;

struct SessionDecisions {
  std::vector<SessionFact> facts;
  std::vector<SessionEffect> effects;
};

// ---- the machine

enum class SessionPhase : std::uint8_t {
  kWaiting = 0,   ///< for the next try
  kDialling = 1,  ///< the stream is being made
  kGreeting = 2,  ///< `AgentHello` is said
  kClearing = 3,  ///< the session is over; what is left of it is being ended
  kLive = 4,
  kRefused = 5,  ///< for ever
};
inline constexpr int kSessionPhaseCount = 6;

enum class SessionTrigger : std::uint8_t {
  kDialDue = 0,
  kStreamUp = 1,
  kResumed = 2,
  kAnew = 3,
  kCleared = 4,
  kLost = 5,  ///< the stream ended, or is given up
  kRefused = 6,
};
inline constexpr int kSessionTriggerCount = 7;

struct SessionTransition {
  SessionTrigger trigger;
  SessionPhase from;
  SessionPhase to;
};
/// What is not here changes nothing.
std::span<const SessionTransition> SessionTransitions();

struct SessionOptions {
  std::vector<std::string> addresses;  ///< at least one
  std::uint32_t slots = 1;
  std::uint32_t ahead_max = 0;
  std::string version;
  engine::model::WorkerOffer offer;
  std::uint64_t report_life = 1;  ///< drawn at each start of the process, never 0
  engine::base::Duration backoff_first = std::chrono::milliseconds(100);
  engine::base::Duration backoff_max = std::chrono::seconds(5);
  /// At most, while attempts run or a server was heard (or this was made) not longer ago than so.
  engine::base::Duration backoff_eager_max = std::chrono::seconds(1);
  engine::base::Duration eager_for = std::chrono::minutes(1);
  /// Nothing heard for so long: the stream is given up.
  engine::base::Duration silent_after = std::chrono::seconds(10);
  /// Until a server has said otherwise.
  engine::base::Duration offline = std::chrono::minutes(15);
  engine::base::Duration heartbeat = std::chrono::seconds(3);
  /// When an earlier process heard a server last, on the same clock; nothing: there was none.
  std::optional<engine::base::Instant> contact;
  std::uint64_t reports_under_way_max = 256;
  /// So many orders may wait to be acknowledged with the next heartbeat.
  std::uint64_t orders_unsaid_max = 32;
};

class Session {
 public:
  /// `now`: of a clock that never goes back.
  Session(SessionOptions options, engine::base::Instant now);

  /// Recovery: the journal's facts, in order, before the first `Step`.
  void Apply(const SessionFact& fact);
  /// `draw` is a fresh random number, used where jitter is due.
  SessionDecisions Step(const SessionInput& input, engine::base::Instant now, std::uint64_t draw);
  /// When `TimePassed` has something to do next, if nothing else happens.
  std::optional<engine::base::Instant> NextDeadline() const;

  SessionPhase phase() const { return phase_; }
  engine::model::SessionId session() const { return session_; }
  std::size_t reports_held() const { return reports_.size(); }
  bool draining() const { return draining_; }
  /// A server was heard last then; so long after it, attempts are ended.
  engine::base::Instant contact() const { return contact_; }
  engine::base::Duration offline() const { return options_.offline; }

 private:
  using Instant = engine::base::Instant;

  void On(const TimePassed& input);
  void On(const StreamUp& input);
  void On(const StreamDown& input);
  void On(const WorkerRefused& input);
  void On(const MessageCame& input);
  void On(const OrderTaken& input);
  void On(const AttemptsCleared& input);
  void On(const ReportMade& input);
  void On(const DrainWanted& input);

  void OnMessage(const engine::model::ServerWelcome& welcome);
  void OnMessage(const engine::model::NumberedOrder& order);
  void OnMessage(const engine::model::ServerHeartbeat& heartbeat);
  void OnMessage(const engine::model::ReportsAcknowledged& acknowledged);

  bool Fire(SessionTrigger trigger);
  void DialNext();
  void Lose(std::string why, const std::string& owner);
  void DialAgain();
  engine::base::Duration PauseOfRound() const;
  void SettleTo(std::uint64_t number);
  void SayDrain();
  void SendReports();
  void SendHeartbeat();
  void Send(engine::model::AgentMessage message);
  void Note(SessionFact fact);
  bool has_stream() const;

  SessionOptions options_;
  SessionPhase phase_ = SessionPhase::kWaiting;
  engine::model::SessionId session_;
  engine::model::SessionId next_session_;  ///< while clearing: the one that will begin
  engine::base::NumberedOutbox<engine::model::AttemptReported> reports_;
  std::uint64_t sent_ = 0;  ///< newest report sent on this stream
  engine::base::NumberedIntake orders_;
  engine::model::OrderMark taken_;  ///< orders that are in the journal
  std::uint64_t orders_said_ = 0;   ///< of these, told to the server
  bool draining_ = false;
  bool drain_said_ = false;  ///< on this stream

  StreamNumber stream_ = 0;
  std::size_t next_address_ = 0;
  std::string owner_;           ///< dial this one next
  std::string dialled_;         ///< the newest
  std::size_t unwelcome_ = 0;   ///< dials of this round that nobody welcomed
  bool hint_followed_ = false;  ///< in this round
  std::uint32_t rounds_ = 0;    ///< over all addresses, since the last welcome
  bool working_ = false;        ///< as heard last
  const Instant made_;
  Instant dial_at_;
  Instant heard_;    ///< something of this stream, or when it was dialled
  Instant contact_;  ///< a server was heard at all
  Instant heartbeat_at_;
  bool offline_ended_ = false;

  Instant now_;
  std::uint64_t draw_ = 0;
  SessionDecisions decisions_;
};

}  // namespace agents::core
