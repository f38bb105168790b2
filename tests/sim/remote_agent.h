// SPDX-License-Identifier: Apache-2.0
// An agent on a simulated machine: the real `core::Session` and `core::Ledger`, a journal that
// survives the agent's death, and an executing half (`Agent`: keepers and their steps) that does,
// too. Whatever the journal was told is there after a restart; nothing else is.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "agents/core/ledger.h"
#include "agents/core/session.h"
#include "tests/sim/agent.h"

namespace tests::sim {

/// What the agent needs of its world, beside what its executing half needs.
struct RemoteSurroundings {
  Schedule* schedule = nullptr;
  engine::base::Random* random = nullptr;
  const Faults* faults = nullptr;
  std::vector<std::string> addresses;
  std::string pool;
  std::uint32_t slots = 1;
  std::uint32_t ahead_max = 0;
  engine::model::WorkerOffer offer;
  std::function<void(agents::core::StreamNumber, const std::string& address)> dial;
  std::function<void(agents::core::StreamNumber, const engine::model::AgentMessage&)> send;
  std::function<void(agents::core::StreamNumber)> hang_up;
  std::function<void()> died;  ///< the process: its stream is cut
  std::function<void()> left;  ///< it was drained and has nothing left to do
  std::function<void(std::string)> breach;
};

class RemoteAgent {
 public:
  /// `execution` as for `Agent`; what it reports, and that it began an attempt, comes here.
  RemoteAgent(engine::model::WorkerId worker, AgentSurroundings execution,
              RemoteSurroundings surroundings);

  engine::model::WorkerId worker() const { return worker_; }
  const std::string& pool() const { return world_.pool; }
  Agent& execution() { return *execution_; }
  bool alive() const { return execution_->alive(); }
  bool cut_off() const { return execution_->cut_off(); }
  /// Nothing runs, and everything that was said is acknowledged.
  bool quiet() const;
  engine::model::SessionId session() const { return session_->session(); }

  void Start();
  /// The machine is gone.
  void Kill();
  /// The agent's process is killed and comes back after a while, perhaps without its journal.
  void Restart(bool wipe);
  void RestartSoon(bool wipe);
  /// What comes in from the network.
  void Hear(const agents::core::SessionInput& input);

 private:
  using Journal = std::vector<std::variant<agents::core::SessionFact, agents::core::Fact>>;

  void RecoverAttempts();
  void Step(const agents::core::SessionInput& input);
  void Perform(const agents::core::SessionEffect& effect);
  void Take(const agents::core::TakeOrder& take);
  void Take(const engine::model::Assignment& assignment);
  void Take(const engine::model::StopAttempt& stop);
  agents::core::Effect Move(const agents::core::Input& input);
  void OnReport(const engine::model::AttemptReported& report);
  void SayEnded(const engine::model::Lease& lease, engine::model::Status status, bool infra);
  void EndAll();
  void Arm();
  void WantDrain();
  void LeaveSoon();
  std::uint64_t Draw() { return world_.random->Next(); }

  engine::model::WorkerId worker_;
  RemoteSurroundings world_;
  std::unique_ptr<Agent> execution_;

  // What lies on the disk.
  Journal journal_;
  std::map<engine::model::AttemptKey, engine::model::Assignment> assignments_;

  // The process.
  std::unique_ptr<agents::core::Session> session_;
  std::unique_ptr<agents::core::Ledger> ledger_;
  std::deque<agents::core::SessionEffect> effects_;
  bool performing_ = false;
  bool drained_ = false;  ///< the server knows that it leaves
  bool leaving_ = false;
  std::uint64_t life_ = 0;   ///< of the process; timers of an older one are void
  std::uint64_t armed_ = 0;  ///< the newest timer
  std::vector<engine::model::AttemptReported> unheard_;  ///< said by keepers while it was down
  engine::base::Instant contact_{};                      ///< a server was heard, or it started
};

}  // namespace tests::sim
