// SPDX-License-Identifier: Apache-2.0
// What an agent and a server say to each other on their stream, as plain values: the two machines
// (`agents/core`, `api/hub`) speak these, `api/wire` carries them. The conversation is told in
// docs/agent-protocol.md.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/effect.h"
#include "engine/model/ids.h"
#include "engine/model/input.h"

namespace engine::model {

/// How far orders were received: those of which life of a server process, up to which number.
struct OrderMark {
  std::uint64_t life = 0;
  std::uint64_t seq = 0;
  friend bool operator==(const OrderMark&, const OrderMark&) = default;
};

// ---- from the agent

inline constexpr std::size_t kHelloRunsMax = 65'536;

/// The first message of every stream.
struct AgentHello {
  SessionId session;  ///< the one it last had; 0: none
  std::uint32_t slots = 1;
  std::uint32_t ahead_max = 0;
  OrderMark orders_received;
  /// Drawn at each start of the agent's process: numbers of reports begin anew with it.
  std::uint64_t report_life = 0;
  std::uint64_t first_report = 1;  ///< the oldest that it still holds (or would get next)
  bool draining = false;
  std::string version;
  /// Of which it remembers attempts, the oldest first; only those that fit.
  std::vector<RunId> runs;
  WorkerOffer offer;
  friend bool operator==(const AgentHello&, const AgentHello&) = default;
};

/// Nothing of an earlier session runs any more; work may come.
struct AgentBegin {
  SessionId session;
  friend bool operator==(const AgentBegin&, const AgentBegin&) = default;
};

struct AgentHeartbeat {
  OrderMark orders_received;
  std::uint64_t sent = 0;  ///< number of the newest report that was sent
  SessionId session;       ///< that it has begun; 0: it still clears what an older one left
  friend bool operator==(const AgentHeartbeat&, const AgentHeartbeat&) = default;
};

/// The sender's worker and session are known from the stream; `report.lease` has them filled in by
/// whoever received it.
struct NumberedReport {
  std::uint64_t seq = 0;
  AttemptReported report;
};

/// It got SIGTERM or is idle: give it nothing new.
struct AgentDrainWanted {
  friend bool operator==(const AgentDrainWanted&, const AgentDrainWanted&) = default;
};

using AgentMessage =
    std::variant<AgentHello, AgentBegin, AgentHeartbeat, NumberedReport, AgentDrainWanted>;

// ---- from the server

/// The answer to `AgentHello`.
struct ServerWelcome {
  SessionId session;
  bool resumed = false;                ///< false: end everything, then `AgentBegin`
  std::uint64_t reports_received = 0;  ///< need not come again; 0: send all that are held
  base::Duration offline{0};
  base::Duration heartbeat{0};
  std::uint64_t order_life = 0;
  std::uint64_t first_order = 1;  ///< number of the next order; what came before it is settled
  friend bool operator==(const ServerWelcome&, const ServerWelcome&) = default;
};

/// Finish what you have (or end it) and leave.
struct DrainAgent {
  bool stop_attempts = false;
  friend bool operator==(const DrainAgent&, const DrainAgent&) = default;
};

/// Nobody will ask for attempts of this run again.
struct ForgetRun {
  RunId run;
  friend bool operator==(const ForgetRun&, const ForgetRun&) = default;
};

using AgentOrder = std::variant<Assignment, StopAttempt, DrainAgent, ForgetRun>;

struct NumberedOrder {
  std::uint64_t seq = 0;
  AgentOrder order;
};

struct ServerHeartbeat {
  std::uint64_t sent = 0;  ///< number of the newest order that was sent
  friend bool operator==(const ServerHeartbeat&, const ServerHeartbeat&) = default;
};

/// What a refusal means to the agent.
enum class ReportVerdict : std::uint8_t {
  kStale = 1,     ///< the attempt is not (or no longer) this session's: end it
  kEnded = 2,     ///< attempt, job or run had ended, or is not known any more: end it
  kRepeated = 3,  ///< said before
  kInvalid = 4,   ///< it does not fit what was said before
};
ReportVerdict VerdictOf(RefusalCode code);

struct RefusedReport {
  std::uint64_t seq = 0;
  AttemptKey attempt;
  ReportVerdict verdict = ReportVerdict::kInvalid;
  std::string message;
  friend bool operator==(const RefusedReport&, const RefusedReport&) = default;
};

/// Everything up to `seq` is durable or was refused.
struct ReportsAcknowledged {
  std::uint64_t seq = 0;
  std::vector<RefusedReport> refused;
  friend bool operator==(const ReportsAcknowledged&, const ReportsAcknowledged&) = default;
};

using ServerMessage =
    std::variant<ServerWelcome, NumberedOrder, ServerHeartbeat, ReportsAcknowledged>;

}  // namespace engine::model
