// SPDX-License-Identifier: Apache-2.0
// The machines of run, job, attempt and worker as tables: (from, trigger) -> to. The core executes
// exactly these rows: a trigger without a row is a refusal when an input asks for it, and a defect
// (CHECK) when a fact does. Printed into docs/state-machines.md and walked by transitions_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/check.h"

namespace engine::core {

template <typename Phase, typename Trigger>
struct Row {
  Phase from;
  Trigger trigger;
  Phase to;
};

/// The rows, and the same as a dense table to look up in.
template <typename PhaseT, typename TriggerT, std::size_t kPhases, std::size_t kTriggers,
          std::size_t kRows>
class Machine {
 public:
  using Phase = PhaseT;
  using Trigger = TriggerT;
  using Rows = std::array<Row<Phase, Trigger>, kRows>;

  consteval explicit Machine(const Row<Phase, Trigger> (&rows)[kRows])
      : rows_(std::to_array(rows)) {
    for (auto& line : to_) {
      line.fill(kUndefined);
    }
    for (const Row<Phase, Trigger>& row : rows_) {
      std::uint8_t& cell = to_[Index(row.from)][Index(row.trigger)];
      CHECK_MSG(cell == kUndefined, "two rows for one phase and trigger");
      cell = static_cast<std::uint8_t>(row.to);
    }
  }

  constexpr bool CanFire(Phase from, Trigger trigger) const {
    return to_[Index(from)][Index(trigger)] != kUndefined;
  }
  constexpr std::optional<Phase> Next(Phase from, Trigger trigger) const {
    const std::uint8_t to = to_[Index(from)][Index(trigger)];
    return to == kUndefined ? std::nullopt : std::optional(static_cast<Phase>(to));
  }
  /// For facts: an undefined transition is a defect of ours.
  constexpr void Fire(Phase& phase, Trigger trigger) const {
    const std::uint8_t to = to_[Index(phase)][Index(trigger)];
    CHECK_MSG(to != kUndefined, "a fact that no row of the transition table allows");
    phase = static_cast<Phase>(to);
  }
  constexpr const Rows& rows() const { return rows_; }

 private:
  static constexpr std::uint8_t kUndefined = 0xff;
  template <typename E>
  static constexpr std::size_t Index(E value) {
    return static_cast<std::size_t>(value);
  }

  Rows rows_;
  std::array<std::array<std::uint8_t, kTriggers>, kPhases> to_{};
};

template <typename Phase, typename Trigger, std::size_t kPhases, std::size_t kTriggers,
          std::size_t kRows>
consteval auto MakeMachine(const Row<Phase, Trigger> (&rows)[kRows]) {
  return Machine<Phase, Trigger, kPhases, kTriggers, kRows>(rows);
}

// ---- run

enum class RunPhase : std::uint8_t {
  kAbsent,
  kRunning,
  kStopping,  ///< cancelled: jobs end well, `finally` and jobs that decide alone still run
  kKilling,   ///< cancelled twice: nothing starts any more
  kEnded,
  kQueued,  ///< for room among runs: nothing starts yet
};
inline constexpr std::array<std::string_view, 6> kRunPhaseNames = {"absent",  "running", "stopping",
                                                                   "killing", "ended",   "queued"};
enum class RunTrigger : std::uint8_t {
  kAccepted,
  kCancelled,
  kKilled,
  kEnded,
  kClosed,
  kQueued,
  kAdmitted,
};
inline constexpr std::array<std::string_view, 7> kRunTriggerNames = {
    "accepted", "cancel requested", "kill requested", "ended", "closed", "queued", "admitted"};

inline constexpr auto kRunMachine = MakeMachine<RunPhase, RunTrigger, 6, 7>({
    {RunPhase::kAbsent, RunTrigger::kAccepted, RunPhase::kRunning},
    {RunPhase::kRunning, RunTrigger::kQueued, RunPhase::kQueued},
    {RunPhase::kQueued, RunTrigger::kAdmitted, RunPhase::kRunning},
    {RunPhase::kQueued, RunTrigger::kCancelled, RunPhase::kStopping},
    {RunPhase::kQueued, RunTrigger::kKilled, RunPhase::kKilling},
    {RunPhase::kQueued, RunTrigger::kEnded, RunPhase::kEnded},
    {RunPhase::kRunning, RunTrigger::kCancelled, RunPhase::kStopping},
    {RunPhase::kRunning, RunTrigger::kKilled, RunPhase::kKilling},
    {RunPhase::kStopping, RunTrigger::kKilled, RunPhase::kKilling},
    {RunPhase::kRunning, RunTrigger::kEnded, RunPhase::kEnded},
    {RunPhase::kStopping, RunTrigger::kEnded, RunPhase::kEnded},
    {RunPhase::kKilling, RunTrigger::kEnded, RunPhase::kEnded},
    {RunPhase::kEnded, RunTrigger::kClosed, RunPhase::kAbsent},
});

// ---- job

enum class JobPhase : std::uint8_t {
  kWaiting,  ///< for needs, its stage, or `max_parallel`
  kReady,    ///< for a slot
  kPlaced,   ///< has an attempt that has not begun
  kRunning,
  kSettling,  ///< its attempt ended; what follows is decided in the same step
  kBackedOff,
  kEnded,
  kDelayed,  ///< its `delay`
  kAsking,   ///< somebody must approve
  kQueued,   ///< for room in its groups
};
inline constexpr std::array<std::string_view, 10> kJobPhaseNames = {
    "waiting",    "ready", "placed",  "running", "settling",
    "backed off", "ended", "delayed", "asking",  "queued"};
enum class JobTrigger : std::uint8_t {
  kReadied,
  kAssigned,
  kStarted,
  kAttemptEnded,
  kBackedOff,
  kEnded,
  kDelayed,
  kAsked,
  kApproved,
  kQueued,
};
inline constexpr std::array<std::string_view, 10> kJobTriggerNames = {
    "readied", "attempt assigned", "attempt started",    "attempt ended",    "backed off",
    "ended",   "delayed",          "approval requested", "approval decided", "queued"};

inline constexpr auto kJobMachine = MakeMachine<JobPhase, JobTrigger, 10, 10>({
    {JobPhase::kWaiting, JobTrigger::kDelayed, JobPhase::kDelayed},
    {JobPhase::kWaiting, JobTrigger::kAsked, JobPhase::kAsking},
    {JobPhase::kWaiting, JobTrigger::kQueued, JobPhase::kQueued},
    {JobPhase::kDelayed, JobTrigger::kAsked, JobPhase::kAsking},
    {JobPhase::kDelayed, JobTrigger::kQueued, JobPhase::kQueued},
    {JobPhase::kDelayed, JobTrigger::kReadied, JobPhase::kReady},
    // What follows from the answer is decided in the same step.
    {JobPhase::kAsking, JobTrigger::kApproved, JobPhase::kSettling},
    {JobPhase::kSettling, JobTrigger::kQueued, JobPhase::kQueued},
    {JobPhase::kQueued, JobTrigger::kReadied, JobPhase::kReady},
    // Before another attempt, when the one before may have done what must not be done twice.
    {JobPhase::kBackedOff, JobTrigger::kAsked, JobPhase::kAsking},
    {JobPhase::kSettling, JobTrigger::kAsked, JobPhase::kAsking},
    {JobPhase::kWaiting, JobTrigger::kReadied, JobPhase::kReady},
    {JobPhase::kBackedOff, JobTrigger::kReadied, JobPhase::kReady},
    // An attempt that was lost through no fault of anybody's is followed at once.
    {JobPhase::kSettling, JobTrigger::kReadied, JobPhase::kReady},
    {JobPhase::kReady, JobTrigger::kAssigned, JobPhase::kPlaced},
    {JobPhase::kPlaced, JobTrigger::kStarted, JobPhase::kRunning},
    {JobPhase::kPlaced, JobTrigger::kAttemptEnded, JobPhase::kSettling},
    {JobPhase::kRunning, JobTrigger::kAttemptEnded, JobPhase::kSettling},
    {JobPhase::kSettling, JobTrigger::kBackedOff, JobPhase::kBackedOff},
    // Only from a snapshot, which leaves out the attempts that ended.
    {JobPhase::kWaiting, JobTrigger::kBackedOff, JobPhase::kBackedOff},
    {JobPhase::kQueued, JobTrigger::kBackedOff, JobPhase::kBackedOff},
    {JobPhase::kQueued, JobTrigger::kAsked, JobPhase::kAsking},
    {JobPhase::kDelayed, JobTrigger::kEnded, JobPhase::kEnded},
    {JobPhase::kAsking, JobTrigger::kEnded, JobPhase::kEnded},
    {JobPhase::kQueued, JobTrigger::kEnded, JobPhase::kEnded},
    {JobPhase::kWaiting, JobTrigger::kEnded, JobPhase::kEnded},
    {JobPhase::kReady, JobTrigger::kEnded, JobPhase::kEnded},
    {JobPhase::kBackedOff, JobTrigger::kEnded, JobPhase::kEnded},
    {JobPhase::kSettling, JobTrigger::kEnded, JobPhase::kEnded},
});

// ---- attempt

enum class AttemptPhase : std::uint8_t {
  kNone,
  kAssigned,
  kRunning,
  kRecalled,  ///< stop ordered before it began
  kStopping,  ///< stop ordered while it ran
  kKilling,   ///< kill ordered
  kUnheard,   ///< nobody answers for it, and it must not overlap another: waited out
};
inline constexpr std::array<std::string_view, 7> kAttemptPhaseNames = {
    "none", "assigned", "running", "recalled", "stopping", "killing", "unheard"};
enum class AttemptTrigger : std::uint8_t {
  kAssigned,
  kStarted,
  kStepReported,
  kStopRequested,
  kKillRequested,
  kEnded,
  kUnheard,
};
inline constexpr std::array<std::string_view, 7> kAttemptTriggerNames = {
    "assigned", "started", "step reported", "stop requested", "kill requested", "ended", "unheard"};

inline constexpr auto kAttemptMachine = MakeMachine<AttemptPhase, AttemptTrigger, 7, 7>({
    {AttemptPhase::kNone, AttemptTrigger::kAssigned, AttemptPhase::kAssigned},
    {AttemptPhase::kAssigned, AttemptTrigger::kStarted, AttemptPhase::kRunning},
    // The start crossed the order to stop.
    {AttemptPhase::kRecalled, AttemptTrigger::kStarted, AttemptPhase::kStopping},
    {AttemptPhase::kKilling, AttemptTrigger::kStarted, AttemptPhase::kKilling},
    {AttemptPhase::kRunning, AttemptTrigger::kStepReported, AttemptPhase::kRunning},
    {AttemptPhase::kStopping, AttemptTrigger::kStepReported, AttemptPhase::kStopping},
    {AttemptPhase::kKilling, AttemptTrigger::kStepReported, AttemptPhase::kKilling},
    {AttemptPhase::kAssigned, AttemptTrigger::kStopRequested, AttemptPhase::kRecalled},
    {AttemptPhase::kRunning, AttemptTrigger::kStopRequested, AttemptPhase::kStopping},
    {AttemptPhase::kAssigned, AttemptTrigger::kKillRequested, AttemptPhase::kKilling},
    {AttemptPhase::kRunning, AttemptTrigger::kKillRequested, AttemptPhase::kKilling},
    {AttemptPhase::kRecalled, AttemptTrigger::kKillRequested, AttemptPhase::kKilling},
    {AttemptPhase::kStopping, AttemptTrigger::kKillRequested, AttemptPhase::kKilling},
    {AttemptPhase::kAssigned, AttemptTrigger::kEnded, AttemptPhase::kNone},
    {AttemptPhase::kRunning, AttemptTrigger::kEnded, AttemptPhase::kNone},
    {AttemptPhase::kRecalled, AttemptTrigger::kEnded, AttemptPhase::kNone},
    {AttemptPhase::kStopping, AttemptTrigger::kEnded, AttemptPhase::kNone},
    {AttemptPhase::kKilling, AttemptTrigger::kEnded, AttemptPhase::kNone},
    {AttemptPhase::kAssigned, AttemptTrigger::kUnheard, AttemptPhase::kUnheard},
    {AttemptPhase::kRunning, AttemptTrigger::kUnheard, AttemptPhase::kUnheard},
    {AttemptPhase::kRecalled, AttemptTrigger::kUnheard, AttemptPhase::kUnheard},
    {AttemptPhase::kStopping, AttemptTrigger::kUnheard, AttemptPhase::kUnheard},
    {AttemptPhase::kKilling, AttemptTrigger::kUnheard, AttemptPhase::kUnheard},
    // Its worker is there and says something late.
    {AttemptPhase::kUnheard, AttemptTrigger::kStarted, AttemptPhase::kUnheard},
    {AttemptPhase::kUnheard, AttemptTrigger::kStepReported, AttemptPhase::kUnheard},
    // Nobody hears the order; it says how the job ends.
    {AttemptPhase::kUnheard, AttemptTrigger::kStopRequested, AttemptPhase::kUnheard},
    {AttemptPhase::kUnheard, AttemptTrigger::kKillRequested, AttemptPhase::kUnheard},
    {AttemptPhase::kUnheard, AttemptTrigger::kEnded, AttemptPhase::kNone},
});

// ---- worker

enum class WorkerPhase : std::uint8_t {
  kAbsent,
  kPresent,
  kSuspected,  ///< gets no new attempts
  kLost,       ///< forgotten when its last attempt has ended
};
inline constexpr std::array<std::string_view, 4> kWorkerPhaseNames = {"absent", "present",
                                                                      "suspected", "lost"};
enum class WorkerTrigger : std::uint8_t { kJoined, kSuspected, kRecovered, kLost };
inline constexpr std::array<std::string_view, 4> kWorkerTriggerNames = {"joined", "suspected",
                                                                        "recovered", "lost"};

inline constexpr auto kWorkerMachine = MakeMachine<WorkerPhase, WorkerTrigger, 4, 4>({
    {WorkerPhase::kAbsent, WorkerTrigger::kJoined, WorkerPhase::kPresent},
    {WorkerPhase::kPresent, WorkerTrigger::kSuspected, WorkerPhase::kSuspected},
    {WorkerPhase::kSuspected, WorkerTrigger::kRecovered, WorkerPhase::kPresent},
    {WorkerPhase::kPresent, WorkerTrigger::kLost, WorkerPhase::kLost},
    {WorkerPhase::kSuspected, WorkerTrigger::kLost, WorkerPhase::kLost},
});

}  // namespace engine::core
