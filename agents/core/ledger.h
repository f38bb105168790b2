// SPDX-License-Identifier: Apache-2.0
// What a worker knows of the attempts it was given, as a pure machine of the engine core's shape:
// inputs in, facts (its journal) and effects out. It reads no clock, does no I/O, never throws; any
// input in any state is answered. Its rules: an attempt is begun at most once, ever; a stop for an
// attempt never seen leaves a tombstone that refuses a late dispatch; a result stays until
// acknowledged.
//
//           AssignmentReceived        SlotTook          AttemptFinished         Acknowledged
//   (new) ────────────────────▶ queued ───────▶ running ───────────────▶ held ──────────────▶ done
//     │ StopReceived                │ StopReceived                         ▲
//     └──────────────▶ held ◀───────┘ (withdrawn; the result is `cancelled`)
//
// The caller makes the fact durable before it performs the effect where that matters (an agent with
// a journal); `dayfly run` has no journal, because its keepers die with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "engine/model/ids.h"

namespace agents::core {

// ---- inputs: what was seen
struct AssignmentReceived {
  engine::model::Lease lease;
};
struct StopReceived {
  engine::model::Lease lease;
  bool kill = false;
};
/// A free slot took the attempt up.
struct SlotTook {
  engine::model::AttemptKey key;
};
struct AttemptFinished {
  engine::model::AttemptKey key;
};
/// The result is durable at the engine, or was refused.
struct ResultAcknowledged {
  engine::model::AttemptKey key;
};
/// The caller could not keep the result any longer (`AttemptState::kHeld` only).
struct ResultDropped {
  engine::model::AttemptKey key;
};
/// Nobody will ask for this run again.
struct RunForgotten {
  engine::model::RunId run;
};
using Input = std::variant<AssignmentReceived, StopReceived, SlotTook, AttemptFinished,
                           ResultAcknowledged, ResultDropped, RunForgotten>;

// ---- the state of one attempt
enum class AttemptState : std::uint8_t {
  kNew = 0,      ///< never heard of; not stored
  kQueued = 1,   ///< accepted
  kRunning = 2,  ///< a slot has it
  kHeld = 3,     ///< ended, the result waits for its acknowledgement
  kDone = 4,     ///< acknowledged; known so that it is never begun again
};
inline constexpr int kAttemptStateCount = 5;

// ---- facts: the journal
struct AttemptMoved {
  engine::model::Lease lease;  ///< the newest that is known
  AttemptState to = AttemptState::kNew;
  friend bool operator==(const AttemptMoved&, const AttemptMoved&) = default;
};
struct RunDropped {
  engine::model::RunId run;
  friend bool operator==(const RunDropped&, const RunDropped&) = default;
};
using Fact = std::variant<AttemptMoved, RunDropped>;

// ---- effects: what must be done
enum class Order : std::uint8_t {
  kNothing = 0,
  kEnqueue = 1,         ///< put it behind the others
  kWithdraw = 2,        ///< take it out of the queue; send a result that says it never began
  kRefuse = 3,          ///< it was never here: send a result that says it never began
  kEndRunning = 4,      ///< signal, grace, kill, then `finally`; with `kill` end that, too
  kSendResult = 5,      ///< again
  kRefuseRepeated = 6,  ///< it ended and its result is no longer here: say so, begin nothing
};
struct Effect {
  Order order = Order::kNothing;
  engine::model::Lease lease;
  bool kill = false;
  friend bool operator==(const Effect&, const Effect&) = default;
};

/// Each input makes at most one of each.
struct Decisions {
  std::optional<Fact> fact;
  Effect effect;
};

/// The table that `Ledger` executes and the tests walk.
struct Transition {
  std::size_t input = 0;  ///< position in `Input`
  AttemptState from = AttemptState::kNew;
  AttemptState to = AttemptState::kNew;
  Order order = Order::kNothing;
};
std::span<const Transition> Transitions();

class Ledger {
 public:
  /// The state has advanced when it returns.
  Decisions Step(const Input& input);
  /// Recovery: the journal's facts, in order.
  void Apply(const Fact& fact);

  AttemptState StateOf(const engine::model::AttemptKey& key) const;
  std::size_t size() const { return attempts_.size(); }
  /// Attempts in `state`, in the order of their keys.
  std::vector<engine::model::Lease> In(AttemptState state) const;
  /// Those it has attempts of, ascending.
  std::vector<engine::model::RunId> Runs() const;

 private:
  struct Entry {
    engine::model::WorkerId worker;
    engine::model::SessionId session;
    AttemptState state = AttemptState::kNew;
  };
  Decisions StepAttempt(std::size_t input, engine::model::Lease lease, bool kill);

  std::map<engine::model::AttemptKey, Entry> attempts_;
};

}  // namespace agents::core
