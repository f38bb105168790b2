// SPDX-License-Identifier: Apache-2.0
// One simulated world: the real core and sequencer, the memory store, and faults, all from one
// seed. Workers are parts of the engine's process, as under `dayfly run`, or agents behind a
// network: then the real hub, the real agents' machines, and a network that fails stand in between.
// `Run` plays it to the end and returns what broke, if anything did.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/hub/agent_hub.h"
#include "engine/base/random.h"
#include "engine/loop/committer.h"
#include "engine/loop/sequencer.h"
#include "engine/ports/agent_link.h"
#include "engine/ports/worker_watch.h"
#include "store/memory/memory_run_store.h"
#include "tests/sim/agent.h"
#include "tests/sim/direct_line.h"
#include "tests/sim/faults.h"
#include "tests/sim/invariants.h"
#include "tests/sim/network.h"
#include "tests/sim/remote_agent.h"
#include "tests/sim/schedule.h"

namespace tests::sim {

/// What happened, to show that the faults were really there.
struct Tally {
  std::uint64_t steps = 0;
  std::uint64_t facts = 0;
  std::uint64_t crashes = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t workers_died = 0;
  std::uint64_t replays = 0;
  std::uint64_t executions = 0;
  std::uint64_t refusals = 0;
  std::uint64_t streams_cut = 0;
  std::uint64_t agents_restarted = 0;
  std::uint64_t sessions = 0;
  std::uint64_t drained = 0;
};

class World : private engine::loop::Committer,
              private engine::ports::AgentLink,
              private engine::ports::WorkerWatch {
 public:
  explicit World(std::uint64_t seed);
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::optional<std::string> Run();
  const Tally& tally() const { return tally_; }
  /// The durable log as text, for a failing seed.
  std::string LogText() const;

 private:
  using Instant = engine::base::Instant;
  using Duration = engine::base::Duration;

  // engine::loop::Committer
  void Commit(const engine::ports::CommitBatch& batch, Done done) override;
  // engine::ports::AgentLink
  void Dispatch(const engine::model::Assignment& assignment) override;
  void Stop(const engine::model::StopAttempt& stop) override;
  void Drain(const engine::model::DrainWorker& order) override;
  // engine::ports::WorkerWatch
  void Ask(engine::model::WorkerId worker, engine::model::SessionId session) override;

  void DrawInputs();
  void DrawDrains();
  void StartEngine();
  void CrashEngine();
  void ScheduleRestart();
  void ArmWakeUp(Instant when);
  void Tell(engine::model::Input input, std::function<bool()> still_true = {});
  void Send(engine::model::Input input, engine::loop::Reply reply);
  void LateCommit(const engine::ports::CommitBatch& batch);

  // Workers that are parts of the engine's process.
  struct LocalWorker {
    std::unique_ptr<DirectLine> line;
    std::unique_ptr<Agent> agent;
  };
  void AddLocalWorker(engine::model::SessionId session);
  void SendToLocal(engine::model::SessionId session, std::function<void(Agent&)> order);
  Agent* FindLocal(engine::model::SessionId session);

  // Workers behind a network.
  void StartHub();
  void AddRemoteAgent(const std::string& pool);
  void KillRemote(RemoteAgent& agent);
  void LeaveRemote(RemoteAgent& agent);
  AgentSurroundings ExecutionParts();
  void PumpSoon();
  std::string OwnerAddress() const { return generation_ % 4 < 2 ? "a" : "b"; }

  void AfterStep();
  void AnswerSoon(const engine::model::ApprovalRequested& asked);
  std::vector<engine::model::AttemptKey> UnderWay() const;
  void ReadLog();
  void CheckReplay();
  bool Finished() const;

  engine::base::Random random_;
  std::uint64_t seed_;
  Schedule schedule_;
  Faults faults_;
  Invariants invariants_;
  Tally tally_;

  std::shared_ptr<store::memory::MemoryDisk> disk_;
  std::size_t rows_read_ = 0;
  std::unique_ptr<engine::ports::RunStore> store_;
  std::unique_ptr<engine::loop::Sequencer> sequencer_;
  std::vector<std::unique_ptr<engine::loop::Sequencer>> dead_;  ///< buried after the current event
  std::uint64_t generation_ = 0;  ///< of the engine; what belongs to an older one is void
  std::uint64_t armed_ = 0;
  bool up_ = false;

  // Dead ones stay: their timers may still fire.
  std::vector<LocalWorker> locals_;
  std::vector<std::unique_ptr<RemoteAgent>> remotes_;
  std::map<engine::model::WorkerId, bool> provider_tells_;  ///< of those that died
  std::unique_ptr<Network> network_;
  std::unique_ptr<api::hub::AgentHub> hub_;
  std::vector<std::unique_ptr<api::hub::AgentHub>> dead_hubs_;
  std::uint32_t agents_wanted_ = 0;
  std::size_t runs_ = 0;
};

}  // namespace tests::sim
