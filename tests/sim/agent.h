// SPDX-License-Identifier: Apache-2.0
// A simulated worker's executing half: takes dispatches into its slots, executes steps in virtual
// time, obeys stops, says what happened. How that reaches the engine is somebody else's business:
// `DirectLine` under `dayfly run`, `RemoteAgent` over a network.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "engine/base/random.h"
#include "engine/model/effect.h"
#include "engine/model/input.h"
#include "tests/sim/faults.h"
#include "tests/sim/schedule.h"

namespace tests::sim {

/// What an agent needs of its world.
struct AgentSurroundings {
  Schedule* schedule = nullptr;
  engine::base::Random* random = nullptr;
  const Faults* faults = nullptr;
  std::uint64_t outcome_seed = 0;
  std::function<void(const engine::model::AttemptReported&)> report;
  /// Repeated and late orders are sorted out before they come here.
  bool orders_are_filtered = false;
  std::function<void(const engine::model::Lease&)> executed;
  std::function<void()> step_begins;  ///< may be empty
  std::function<void()> die;          ///< the worker's process is killed
};

class Agent {
 public:
  Agent(engine::model::WorkerId worker, engine::model::SessionId session, std::uint32_t slots,
        AgentSurroundings surroundings);

  engine::model::WorkerId worker() const { return worker_; }
  engine::model::SessionId session() const { return session_; }
  bool alive() const { return alive_; }
  bool cut_off() const;

  /// Orders that arrive, perhaps late and more than once.
  void Dispatched(const engine::model::Assignment& assignment);
  void Stopped(const engine::model::StopAttempt& stop);

  /// Nothing of it happens any more.
  void Kill() { alive_ = false; }
  void CutOff(engine::base::Duration length);
  bool quiet() const { return attempts_.empty(); }

  // What may befall it beside orders; no report is made of any of these.
  void DropQueued();                                     ///< the process that held the queue died
  void Abort(const engine::model::AttemptKey& attempt);  ///< its processes are gone
  void AbortAll();
  std::vector<engine::model::AttemptKey> running() const;

 private:
  enum class Phase : std::uint8_t { kQueued, kSteps, kFinally };
  struct Attempt {
    engine::model::Assignment assignment;
    Phase phase = Phase::kQueued;
    std::uint32_t step = 0;
    std::set<std::uint32_t> beside;  ///< steps that run in the background
    std::uint64_t turn = 0;          ///< a timer of an older turn is void
    engine::model::Status status = engine::model::Status::kSucceeded;
    engine::model::Reason reason;
    bool hangs = false;
  };

  void FillSlots();
  void Begin(Attempt& attempt, std::uint32_t slot);
  void BeginStep(const engine::model::AttemptKey& key);
  void EndStep(const engine::model::AttemptKey& key, engine::model::Status status,
               const engine::model::Reason& reason);
  void Advance(const engine::model::AttemptKey& key);
  void EndBeside(const engine::model::AttemptKey& key);
  void Finish(const engine::model::AttemptKey& key);
  void Later(const engine::model::AttemptKey& key, engine::base::Duration delay,
             std::function<void()> then);
  void Report(const engine::model::AttemptKey& key, engine::model::Report report);
  void MaybeDie();

  engine::model::WorkerId worker_;
  engine::model::SessionId session_;
  std::uint32_t slots_;
  AgentSurroundings world_;
  bool alive_ = true;
  engine::base::Instant cut_until_{};
  std::map<engine::model::AttemptKey, Attempt> attempts_;
  std::deque<engine::model::AttemptKey> queue_;
  std::set<engine::model::AttemptKey> seen_;  ///< accepted or tombstoned: never begun again
  std::uint32_t busy_ = 0;
};

}  // namespace tests::sim
