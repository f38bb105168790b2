// SPDX-License-Identifier: Apache-2.0
// The agent's end of the conversation with its server: `core::Session` decides, gRPC carries, the
// `Workload` works. Everything on the thread of the `io_context`; nothing blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agents/core/session.h"
#include "agents/session/identity.h"
#include "agents/session/workload.h"
#include "api/wire/agent.pb.h"
#include "engine/base/time.h"

namespace agents::session {

struct AgentSessionOptions {
  core::SessionOptions session;
  AgentIdentity identity;
  /// Renewed certificates are put here; empty: kept in memory only.
  std::string identity_folder;
  /// Facts of the journal, in order.
  std::vector<core::SessionFact> recovered;
  /// Of a clock that never goes back; for everything but certificates.
  std::function<engine::base::Instant()> monotonic_now;
  /// UTC; for certificates only.
  std::function<engine::base::Instant()> utc_now;
  /// Fresh random numbers, for jitter.
  std::function<std::uint64_t()> draw;
  /// What the server says of logs. May be empty.
  std::function<void(const dayfly::v1::LogAcknowledged&)> log_acknowledged;
  /// The stream is live (log bytes may be sent from what is archived on), or is not. May be empty.
  std::function<void(bool)> live;
  /// A server was heard, and so long after it attempts are ended; at most once a second. May be
  /// empty.
  std::function<void(engine::base::Instant contact, engine::base::Duration offline)> heard;
  /// A fresh certificate is in use (from the next stream on). May be empty.
  std::function<void(const AgentIdentity&)> renewed;
  /// For people: dialled, lost, refused. May be empty.
  std::function<void(const std::string&)> note;
};

class AgentSession {
 public:
  /// `workload` outlives this.
  AgentSession(boost::asio::io_context& io, AgentSessionOptions options, Workload& workload);
  /// Hangs up. What the journal holds is said by the next one.
  ~AgentSession();
  AgentSession(const AgentSession&) = delete;
  AgentSession& operator=(const AgentSession&) = delete;

  /// Dials. Once.
  void Start();
  /// What the runner has to say; in order.
  void Report(const engine::model::AttemptReported& report);
  /// Asks the server for no more work.
  void Drain();
  /// A `LogBatch` or `LogEnd`. False: the stream is not live, nothing was sent.
  bool SendLog(dayfly::v1::AgentMessage message);

  engine::model::SessionId session() const;
  bool live() const;
  /// Of the server dialled last.
  const std::string& address() const;
  const AgentIdentity& identity() const;
  /// Reports that no server has acknowledged.
  std::size_t reports_held() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace agents::session
