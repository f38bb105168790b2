// SPDX-License-Identifier: Apache-2.0
// What a session drives: the journal, the ledger and the runner of an agent. Called on the thread
// of the session's `io_context`; callbacks come on the same thread, also from inside the call.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agents/core/session.h"
#include "engine/model/agent_message.h"

namespace agents::session {

class Workload {
 public:
  virtual ~Workload() = default;

  /// Puts facts of the session into the journal; `noted` when they survive this process (and, for
  /// `SessionBegun`, the machine). Effects of the same step wait for it.
  virtual void Note(const std::vector<core::SessionFact>& facts, std::function<void()> noted) = 0;

  /// An order whose leases name this worker's session. `taken` when the journal has it: from then
  /// on the server will not send it again. May come again, and after a failover in new words.
  virtual void Take(const engine::model::AgentOrder& order, std::function<void()> taken) = 0;

  /// Attempts run or wait: a lost server is looked for more often.
  virtual bool IsWorking() const = 0;

  /// The session is over: kill all attempts at once, drop their results and the ledger's entries.
  /// `cleared` when no process is left.
  virtual void EndEverything(std::function<void()> cleared) = 0;
  /// No server for too long: end all attempts (signal, grace, kill, `finally`), keep results.
  virtual void EndOffline() = 0;
  /// The attempt is not this session's any more.
  virtual void EndStale(const engine::model::AttemptKey& attempt) = 0;
  /// The attempt's end is durable at the server: its result may go.
  virtual void Settle(const engine::model::AttemptKey& attempt) = 0;

  /// Runs of which attempts are remembered, the oldest first.
  virtual std::vector<engine::model::RunId> RunsRemembered() const { return {}; }

  /// Nothing will ever be said again; `EndEverything` came before. The agent leaves.
  virtual void GiveUp(const std::string& why) = 0;
};

}  // namespace agents::session
