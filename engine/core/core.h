// SPDX-License-Identifier: Apache-2.0
// The deterministic core: inputs in, decisions out. It reads no clock and does no I/O, takes no
// lock, starts no thread, never throws; any input in any state is answered. The caller's loop
// (`engine/loop`) must:
//   1. make `Decisions::facts` durable BEFORE it performs `effects`, sends a reply, or shows
//   anything that rests on them;
//   2. on a failed or unknown commit throw this core away and build a new one from what is durable;
//   3. arm one wake-up at `NextDeadline` and feed `DeadlinePassed` when it fires.
// The state has already advanced when `Step` returns: the next input may be stepped while the
// commit is under way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/effect.h"
#include "engine/model/fact.h"
#include "engine/model/input.h"
#include "engine/model/snapshot.h"

namespace engine::core {

struct State;  // engine/core/state.h

struct Decisions {
  std::vector<model::Fact> facts;
  std::vector<model::Effect> effects;
  std::vector<model::Refusal> refused;
};

/// What a job does now and why it does not do more.
struct Explanation {
  model::Status status = model::Status::kWaiting;
  std::vector<model::Reason>
      reasons;  ///< most decisive first; empty for a running or final job without one
};

class EngineCore {
 public:
  EngineCore();
  ~EngineCore();
  EngineCore(EngineCore&&) noexcept;
  EngineCore& operator=(EngineCore&&) noexcept;

  Decisions Step(const model::Input& input, base::Instant now);

  /// Strictly later than `now`.
  std::optional<base::Instant> NextDeadline(base::Instant now) const;

  /// Recovery: the facts of the newest snapshot, then those after it, in order. `plan` is needed by
  /// `RunAccepted` and null for every other fact.
  void Apply(const model::Fact& fact, const model::PlanRef& plan);
  /// The facts that rebuild exactly this state; see `model::Snapshot`. The caller fills in `seq`.
  model::Snapshot TakeSnapshot() const;

  /// Effects not yet answered; after recovery the loop performs exactly these.
  std::vector<model::Effect> Outstanding() const;
  /// What workers hold: assignments of all attempts that have not ended, as they were given.
  std::vector<model::Assignment> Assignments() const;

  /// Empty when the run or the job is not known (any more).
  std::optional<Explanation> Explain(model::RunId run, model::JobIndex job,
                                     base::Instant now) const;
  /// Runs that are open or not yet closed, ascending.
  std::vector<model::RunId> OpenRuns() const;
  /// Workers that count as present or suspected.
  std::vector<std::pair<model::WorkerId, model::SessionId>> Workers() const;

  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace engine::core
