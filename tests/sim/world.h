// SPDX-License-Identifier: Apache-2.0
// One simulated world: the real core and sequencer, the memory store, simulated workers, and
// faults, all from one seed. `Run` plays it to the end and returns what broke, if anything did.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/loop/committer.h"
#include "engine/loop/sequencer.h"
#include "engine/ports/agent_link.h"
#include "store/memory/memory_run_store.h"
#include "tests/sim/agent.h"
#include "tests/sim/faults.h"
#include "tests/sim/invariants.h"
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
};

class World : private engine::loop::Committer, private engine::ports::AgentLink {
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

  void DrawInputs();
  void StartEngine();
  void CrashEngine();
  void ScheduleRestart();
  void ArmWakeUp(Instant when);
  void Tell(engine::model::Input input, std::function<bool()> still_true = {});
  void Send(engine::model::Input input, engine::loop::Reply reply);
  void SendToAgent(engine::model::WorkerId worker, engine::model::SessionId session,
                   std::function<void(Agent&)> order);
  void LateCommit(const engine::ports::CommitBatch& batch);

  void ConnectAgent(engine::model::WorkerId worker, engine::model::SessionId session);
  void KillAgent(Agent& agent, bool provider_tells);
  void Heartbeats();
  Agent* FindAgent(engine::model::WorkerId worker, engine::model::SessionId session);

  void AfterStep();
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

  std::vector<std::unique_ptr<Agent>> agents_;  ///< dead ones stay: their timers may still fire
  std::uint64_t workers_ = 0;
  std::uint32_t agents_wanted_ = 0;
  std::size_t runs_ = 0;
};

}  // namespace tests::sim
