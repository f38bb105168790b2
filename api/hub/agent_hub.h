// SPDX-License-Identifier: Apache-2.0
// The server's end of all agents' streams, without gRPC: who is connected, which orders are on
// their way to whom, which reports are answered. An `AgentLink` to the engine; to a stream the one
// who receives its messages. Everything on the engine's thread; pure but for what its parts do.
//
// A session's orders are held until the agent has them in its journal, over any number of streams.
// A report is acknowledged when the engine's answer to it came, which is after its facts are
// durable (or after it was refused). What is lost with this process is made good by the engine,
// which issues again what is outstanding, and by the agents, which send again what is not
// acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/numbered.h"
#include "engine/base/status.h"
#include "engine/loop/observer.h"
#include "engine/loop/sequencer.h"
#include "engine/model/agent_message.h"
#include "engine/ports/agent_link.h"
#include "engine/ports/worker_watch.h"

namespace api::hub {

/// One stream as the hub sees it.
class AgentStream {
 public:
  virtual ~AgentStream() = default;
  virtual void Send(const engine::model::ServerMessage& message) = 0;
  /// The hub has forgotten the stream and says nothing more. Not OK: why.
  virtual void Close(const engine::base::Status& status) = 0;
};

/// Who speaks, from its certificate and the registry, never from a message.
struct WorkerIdentity {
  engine::model::WorkerId worker;
  std::string pool;
  std::string host;  ///< for people
};

struct HubParts {
  /// Hands an input to the engine; never refused, the answer comes later.
  std::function<void(engine::model::Input, engine::loop::Reply)> take;
  std::function<void(engine::model::WorkerId, engine::model::SessionId)> touch;
  std::function<void(engine::model::WorkerId, engine::model::SessionId)> stream_ended;
  /// Performs it on this thread when what is being done now is over.
  std::function<void(std::function<void()>)> soon;
  engine::ports::WorkerWatch* watch = nullptr;  ///< null: nobody can tell
  /// Says which of `runs` the engine does not know any more; on this thread, perhaps later. Null:
  /// nobody can tell.
  using Closed = std::function<void(const std::vector<engine::model::RunId>&)>;
  std::function<void(std::vector<engine::model::RunId> runs, Closed then)> closed_of;
};

struct HubOptions {
  /// Never the same twice for one shard: the epoch will do.
  std::uint64_t order_life = 1;
  engine::base::Duration offline = std::chrono::minutes(15);
  engine::base::Duration heartbeat = std::chrono::seconds(3);
  std::uint64_t reports_under_way_max = 1024;
};

/// For those who list workers.
struct ConnectedWorker {
  engine::model::WorkerId worker;
  engine::model::SessionId session;
  std::string pool;
  std::string host;
  std::string version;
  std::uint32_t slots = 0;
  bool connected = false;
  bool draining = false;  ///< the agent said so, or was told to
  std::size_t orders_held = 0;
  std::uint64_t reports_under_way = 0;
};

class AgentHub : public engine::ports::AgentLink, public engine::loop::Observer {
 public:
  AgentHub(HubParts parts, HubOptions options);
  AgentHub(const AgentHub&) = delete;
  AgentHub& operator=(const AgentHub&) = delete;

  /// What the recovered engine knows; before the engine starts.
  void Adopt(
      const std::vector<std::pair<engine::model::WorkerId, engine::model::SessionId>>& workers);

  // ---- streams

  /// The first message came. An older stream of the same worker is closed.
  void Connected(const std::shared_ptr<AgentStream>& stream, const WorkerIdentity& who,
                 const engine::model::AgentHello& hello);
  /// Any later message. Ignored when the stream is no longer the worker's.
  void Received(const AgentStream& stream, engine::model::WorkerId worker,
                engine::model::AgentMessage message);
  /// A sign of life that is none of the messages here (log bytes).
  void Heard(const AgentStream& stream, engine::model::WorkerId worker);
  void Ended(const AgentStream& stream, engine::model::WorkerId worker);

  // ---- people and providers

  /// It was retired: its stream is closed. The registry refuses its certificate from now on.
  void Retire(engine::model::WorkerId worker);
  std::vector<ConnectedWorker> Workers() const;

  // ---- engine::ports::AgentLink
  void Dispatch(const engine::model::Assignment& assignment) override;
  void Stop(const engine::model::StopAttempt& stop) override;
  void Drain(const engine::model::DrainWorker& order) override;
  // ---- engine::loop::Observer
  void OnDurable(std::uint64_t first_seq, std::span<const engine::model::Fact> facts) override;

 private:
  /// Where a worker's session stands with the engine.
  enum class Standing : std::uint8_t {
    kNone,     ///< over, or never begun
    kJoining,  ///< begun; `WorkerJoined` is not durable yet
    kLive,     ///< the engine knows it, durably
  };
  struct Worker {
    engine::model::SessionId session;
    Standing standing = Standing::kNone;
    /// Named in `ServerWelcome`, `AgentBegin` has not come: the stream is not (yet) `session`'s.
    engine::model::SessionId offered;
    std::shared_ptr<AgentStream> stream;  ///< null: not connected
    std::string pool;
    std::string host;
    engine::model::AgentHello hello;
    bool draining = false;                             ///< its agent wants it
    std::optional<engine::model::DrainAgent> drained;  ///< the engine ordered it, for this session

    engine::base::NumberedOutbox<engine::model::AgentOrder> orders;
    std::uint64_t report_life = 0;
    engine::base::NumberedIntake reports;
    std::uint64_t answered = 0;  ///< all up to here
    std::set<std::uint64_t> answered_ahead;
    std::uint64_t told = 0;                             ///< acknowledged on this stream
    std::vector<engine::model::RefusedReport> refused;  ///< not told yet

    bool speaks() const { return standing != Standing::kNone && offered.value() == 0; }
  };
  /// Which numbering a report belongs to.
  struct ReportPlace {
    engine::model::WorkerId worker;
    engine::model::SessionId session;
    std::uint64_t life = 0;
    std::uint64_t seq = 0;
  };

  void Resume(engine::model::WorkerId id, Worker& worker);
  void Offer(Worker& worker);
  void Welcome(Worker& worker, engine::model::SessionId session, bool resumed);
  void RestartReports(Worker& worker, std::uint64_t life, std::uint64_t first);
  void On(engine::model::WorkerId id, Worker& worker, engine::model::AgentHello& hello);
  void On(engine::model::WorkerId id, Worker& worker, engine::model::AgentBegin& begin);
  void On(engine::model::WorkerId id, Worker& worker, engine::model::AgentHeartbeat& heartbeat);
  void On(engine::model::WorkerId id, Worker& worker, engine::model::NumberedReport& report);
  void On(engine::model::WorkerId id, Worker& worker, engine::model::AgentDrainWanted& wanted);

  void Give(engine::model::WorkerId id, engine::model::SessionId session,
            engine::model::AgentOrder order);
  void AskDrain(engine::model::WorkerId id, const Worker& worker);
  void LearnRuns(engine::model::WorkerId id, std::vector<engine::model::RunId> runs);
  void OnJoinAnswered(engine::model::WorkerId id, engine::model::SessionId session,
                      const engine::loop::Answer& answer);
  void OnReportAnswered(const ReportPlace& place, const engine::model::AttemptKey& attempt,
                        const engine::loop::Answer& answer);
  void TellSoon(engine::model::WorkerId id);
  void Tell(Worker& worker);
  void OnFact(const engine::model::WorkerJoined& fact);
  void OnFact(const engine::model::WorkerLost& fact);
  void OnFact(const engine::model::WorkerMarkedSuspect& fact);
  void OnFact(const engine::model::RunClosed& fact);
  void OnFact(const engine::model::AttemptEnded& fact) { under_way_.erase(fact.key); }
  void DropOrdersOfEndedAttempts(Worker& worker) const;
  /// The stream breaks the rules, or is not wanted any more.
  void Drop(engine::model::WorkerId id, Worker& worker, const engine::base::Status& status);
  void Touch(engine::model::WorkerId id, const Worker& worker);
  Worker* Find(engine::model::WorkerId id, const AgentStream& stream);

  HubParts parts_;
  HubOptions options_;
  std::map<engine::model::WorkerId, Worker> workers_;
  /// Who was given attempts of a run that is not closed, by us or by an owner before us.
  std::map<engine::model::RunId, std::set<engine::model::WorkerId>> run_workers_;
  /// Attempts of which an order was given and which have not ended.
  std::set<engine::model::AttemptKey> under_way_;
  std::uint64_t offers_ = 0;                  ///< of sessions, so far
  std::set<engine::model::WorkerId> untold_;  ///< have answers that were not sent yet
  /// Answers that come when the hub is gone find this gone, too.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace api::hub
