// SPDX-License-Identifier: Apache-2.0
// The loop without its threads and timers: gives inputs their order and facts their numbers, and
// holds effects, observers and replies back until the facts are durable. `EngineLoop` puts Asio, a
// commit thread and a timer around it; the simulation puts a seed around it. One thread.
//
//   Take ─▶ inbox ─▶ Pump: Step, Step, … ─▶ pending ─▶ commit (one in flight) ─▶ durable:
//                      ▲  while one is in flight, the next batch is stepped │   effects, observers,
//                      │                                                    ▼   replies
//                      └── inputs of a failed batch ◀── new core from the store ◀── failed, unknown
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/core/core.h"
#include "engine/loop/committer.h"
#include "engine/loop/liveness.h"
#include "engine/loop/observer.h"
#include "engine/loop/recovery.h"
#include "engine/model/effect.h"
#include "engine/model/input.h"
#include "engine/ports/agent_link.h"
#include "engine/ports/clock.h"
#include "engine/ports/run_store.h"

namespace engine::loop {

/// What became of an input, told once its facts are durable (or at once when it made none and
/// nothing before it is under way).
struct Answer {
  /// Not OK: the loop gave up (`OnFatal`) or stopped; whether the input took effect is unknown.
  base::Status status;
  std::vector<model::Refusal> refused;  ///< not empty: it became no fact (or only some of it did)
};
using Reply = std::function<void(const Answer&)>;

struct SequencerOptions {
  /// A snapshot is taken when this many facts were written since the last one, and at least as many
  /// as the last one held, so that a large state is not copied over and over. 0: never.
  std::uint64_t snapshot_every = 10'000;
  /// At a clean stop one is taken when runs are open and at least this many facts came since.
  std::uint64_t snapshot_at_stop = 1'000;
  /// Facts in one commit, about.
  std::size_t batch_facts_max = 8192;
  /// Commits that fail one after the other until `OnFatal`; between them the pause doubles up to
  /// its limit. A server whose database may be away for minutes goes on as long as it is the owner.
  int failures_max = 6;
  /// The same once a stop is wanted.
  int failures_stopping_max = 6;
  base::Duration first_pause = std::chrono::milliseconds(20);
  base::Duration pause_max = std::chrono::seconds(1);
  /// Workers are parts of this process, their sessions are the epoch: nothing is sent to those of
  /// an earlier epoch. The owner posts `WorkerConnected` with `owner_restarted` for the new one.
  bool workers_die_with_us = false;
  /// Absent: workers are not watched.
  std::optional<LivenessOptions> liveness;
};

/// Counted since the start.
struct LoopCounters {
  std::uint64_t inputs = 0;
  std::uint64_t refusals = 0;
  std::uint64_t facts = 0;    ///< durable
  std::uint64_t effects = 0;  ///< handed out, reissued ones included
  std::uint64_t commits = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t recoveries = 0;  ///< after failed commits
};

/// What the sequencer stands on. All outlive it.
struct SequencerParts {
  ports::RunStore* store = nullptr;  ///< once started, used only through the committer
  Committer* committer = nullptr;
  ports::Clock* clock = nullptr;
  /// Arms the one wake-up: `OnWakeUp` is to be called at (or after) this instant. A later call
  /// replaces an earlier one.
  std::function<void(base::Instant)> arm;
  /// A commit failed and the loop goes on; for people. May be empty.
  std::function<void(const base::Status&)> on_trouble;
  /// Nothing more will be done. Called once.
  std::function<void(const base::Status&)> on_fatal;
};

class Sequencer {
 public:
  Sequencer(SequencerParts parts, SequencerOptions options);
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  /// Takes the shard and rebuilds the core. Nothing is sent yet.
  base::Status Recover();
  /// Issues what is outstanding and begins to step. `link` outlives this.
  void Start(ports::AgentLink& link);

  /// Queues an input; `Pump` steps it. `reply` may be empty.
  void Take(model::Input input, Reply reply = {});
  /// Steps what is queued, and commits when no commit is in flight.
  void Pump();
  void OnWakeUp();

  /// Any byte came from a worker.
  void Touch(model::WorkerId worker, model::SessionId session);
  /// A worker's stream ended.
  void StreamEnded(model::WorkerId worker, model::SessionId session);

  /// `read` sees the state at a moment when all of it is durable. Reads are rare: stepping waits.
  void Read(std::function<void(const core::EngineCore&, base::Instant now)> read);

  /// Steps and commits what is queued, takes a snapshot if that pays, then calls `done`. Inputs
  /// that come later are answered `Cancelled`.
  void Stop(std::function<void(const base::Status&)> done);

  /// Outlives this or is removed first.
  void AddObserver(Observer* observer);
  void RemoveObserver(Observer* observer);

  std::size_t queued() const { return inbox_.size(); }
  bool idle() const { return phase_ == Phase::kRunning && inbox_.empty() && everything_durable(); }
  bool fatal() const { return phase_ == Phase::kFatal; }
  model::Epoch epoch() const { return epoch_; }
  std::uint64_t durable_seq() const { return durable_seq_; }
  const LoopCounters& counters() const { return counters_; }
  /// May be ahead of what is durable: never show anything from it. For tests and invariants.
  const core::EngineCore& core() const { return *core_; }

 private:
  struct Pending {
    model::Input input;
    Reply reply;
    std::vector<model::Refusal> refused;
    bool again = false;  ///< stepped before, in a batch whose commit failed
  };
  void Answered(Pending& pending);
  /// Inputs that were stepped and not yet answered, with what they led to.
  struct Batch {
    ports::CommitBatch commit;
    std::vector<model::Effect> effects;
    std::vector<Pending> inputs;
    std::size_t facts = 0;
  };
  enum class Phase : std::uint8_t { kNew, kRunning, kPaused, kRereading, kStopped, kFatal };

  void Reissue();
  void Hand(const model::Effect& effect);

  void StepQueued();
  void StepOne(Pending pending);
  void AddFacts(std::vector<model::Fact> facts);
  void MaybeCommit();
  void AttachSnapshot(Batch& batch);
  void OnCommitted(const base::Status& status);
  void OnDurable(Batch batch);

  void OnFailed(const base::Status& status, Batch batch);
  void Pause(const base::Status& status);
  void Resume();
  void OnReread(base::StatusOr<Reread> reread);
  void Show(const std::vector<ports::FactRow>& missed);
  void Fail(const base::Status& status);

  void WatchWorkers(const model::Fact& fact);
  void CheckWorkers(base::Instant now);
  void RunReads();
  bool FinalSnapshotPays() const;
  void MaybeFinish();
  void ArmWakeUp();
  base::Instant Now();
  bool everything_durable() const { return in_flight_ == nullptr && pending_.inputs.empty(); }

  SequencerParts parts_;
  SequencerOptions options_;
  ports::AgentLink* link_ = nullptr;
  std::unique_ptr<core::EngineCore> core_;
  std::optional<Liveness> liveness_;
  std::vector<Observer*> observers_;

  Phase phase_ = Phase::kNew;
  base::Status fatal_status_;
  std::deque<Pending> inbox_;
  Batch pending_;
  std::unique_ptr<Batch> in_flight_;
  std::vector<std::function<void(const core::EngineCore&, base::Instant)>> reads_;
  std::function<void(const base::Status&)> stop_done_;
  bool stopping_ = false;
  bool pumping_ = false;

  model::Epoch epoch_;
  std::uint64_t durable_seq_ = 0;
  std::uint64_t snapshot_seq_ = 0;
  std::uint64_t snapshot_facts_ = 0;
  base::Instant last_now_{};
  std::optional<base::Instant> armed_;     ///< the wake-up asked for
  std::optional<base::Instant> deadline_;  ///< the core's
  bool deadline_queued_ = false;           ///< a `DeadlinePassed` waits in the inbox
  base::Instant paused_until_{};
  int failures_ = 0;
  LoopCounters counters_;
};

}  // namespace engine::loop
