// SPDX-License-Identifier: Apache-2.0
// The states of runs, jobs, attempts, steps and workers, and why something is as it is. Numbers are
// stored and never change their meaning; new ones are appended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace engine::model {

/// `waiting`: needs, stage, backoff. `ready`: could start, no slot yet (or assigned and not begun).
/// The last six are final. Runs use all but `ready` and `skipped`; steps all but `ready`.
enum class Status : std::uint8_t {
  kWaiting = 0,
  kReady = 1,
  kRunning = 2,
  kSucceeded = 3,
  kFailed = 4,
  kWarned = 5,  ///< Failed, and the author tolerates it.
  kSkipped = 6,
  kCancelled = 7,
  kTimedOut = 8,
};
inline constexpr int kStatusCount = 9;

constexpr bool IsFinal(Status status) {
  return status >= Status::kSucceeded;
}
std::string_view ToText(Status status);  ///< `waiting ready running succeeded failed warned skipped
                                         ///< cancelled timed_out`
std::optional<Status> StatusFromText(std::string_view text);

/// Why something was refused, delayed, ended or still waits. Each has a stable text form (`ToText`)
/// and a sentence
/// (`Describe` below), and is recorded where the decision is.
enum class ReasonCode : std::uint8_t {
  kNone = 0,
  // Waits.
  kWaitsForNeeds = 1,        ///< subject: the first need still open
  kWaitsForStage = 2,        ///< subject: the stage
  kWaitsForSlot = 3,         ///< subject: why there is none
  kWaitsForBackoff = 4,      ///< until: when the next attempt may start
  kWaitsForMatrixLimit = 5,  ///< `max_parallel` reached
  kWaitsForWorker = 6,       ///< assigned, the worker has not begun
  kWaitsForFinally = 7,
  kWaitsForPool = 8,   ///< as `kWaitsForSlot`, of a job that names a pool; subject: which, and why
  kWaitsForGroup = 9,  ///< subject: the group and who holds it; detail: place in the queue
  kWaitsForApproval = 10,  ///< until: when it gives up; subject: who may approve
  kWaitsForDelay = 11,     ///< until: when it begins
  kWaitsForLostWorker =
      12,  ///< until: when it counts as gone; the attempt may still run where nobody hears it
  kEffectMayBeDone = 13,   ///< as `kWaitsForApproval`; subject: how the attempt before ended
  kWaitsForFit = 14,       ///< no worker of its pool offers what it asks for; subject: what
  kWaitsForServices = 15,  ///< it runs, its steps do not begin yet; subject: which services
  // Skips.
  kConditionFalse = 20,  ///< its own `if` said no; subject: the expression
  kFilteredOut = 21,     ///< its own `on` said no
  kNotSelected = 22,     ///< `--only` named other jobs
  kNeedNotMet = 23,      ///< subject: the need
  kRunEnding = 24,       ///< the run was cancelled before the job could start
  kFailFast = 25,        ///< another cell of the matrix failed; subject: that cell
  kReused = 26,          ///< result carried over from an earlier run; subject: that run
  kGroupFull = 27,       ///< policy `reject`; subject: the group and who holds it
  kSuperseded = 28,      ///< subject: who, being newer, wants the group
  kListEmpty = 29,       ///< its `for_each` gave no value; subject: the expression
  // Ends of attempts and jobs.
  kExitCode = 40,  ///< detail: the code
  kSignal = 41,    ///< detail: the signal's number
  kJobTimeout = 42,
  kStepTimeout = 43,
  kQueueTimeout = 44,  ///< subject: what was missing, when no worker had it
  kRunTimeout = 45,
  kCancelRequested = 46,  ///< subject: by whom
  kWorkerLost = 47,       ///< subject: cause as told
  kSetupFailed = 48,    ///< workspace, artifact or sandbox could not be made; subject: the message.
                        ///< Infrastructure, or the author's, which no retry mends.
  kBadExpression = 49,  ///< subject: the message
  kOutOfMemory = 50,
  kArtifactMissing = 51,    ///< subject: the artifact's name
  kInfraRetriesSpent = 52,  ///< subject: the last cause
  kTolerated = 53,          ///< `allow_failure`; detail: the exit code
  kJobsFailed = 54,         ///< of a run; detail: how many
  kFinallyFailed = 55,
  kKilled = 56,  ///< second cancel
  kLogLimit = 57,
  kWorkerRefused = 58,  ///< the agent could not take the attempt
  kBadStepFile = 59,  ///< what a step wrote to `$DAYFLY_OUTPUT` or its like; subject: what is wrong
  kSecretExposed = 60,     ///< an output or artifact name holds a secret; subject: which and whose
  kDrainRequested = 61,    ///< of a worker; subject: by whom
  kApprovalRejected = 62,  ///< subject: by whom
  kApprovalTimeout = 63,
  kJobsCancelled = 64,    ///< of a run that nobody cancelled; detail: how many
  kStepsEnded = 65,       ///< of a background step: stopped, as the job's steps had ended
  kServiceNotReady = 66,  ///< subject: which service, for how long, and what it was waited for
  kServiceEnded = 67,     ///< subject: which service, and how it ended
  kNothingFits = 68,      ///< as `kWaitsForFit`, where no other worker will ever come
  kOutputsLost = 69,      ///< they could not be stored; subject: why
};

struct Reason {
  ReasonCode code = ReasonCode::kNone;
  std::int64_t detail = 0;  ///< a number the code explains
  base::Instant until{};    ///< epoch when it has no end that is known
  std::string subject;      ///< what the code is about
  friend bool operator==(const Reason&, const Reason&) = default;
};

/// Stable name of the code, as in JSON: `exit_code`, `need_not_met`.
std::string_view ToText(ReasonCode code);
std::optional<ReasonCode> ReasonCodeFromText(std::string_view text);
/// One sentence for people, without a full stop: "exit code 3", "worker lost: killed by signal 9".
/// Empty for `kNone`.
std::string Describe(const Reason& reason);

}  // namespace engine::model
