// SPDX-License-Identifier: Apache-2.0
// What became true. State changes only by applying these; they are stored for ever, so members are
// only ever added (with a default that means "as before") and never change their meaning. Whatever
// `Step` worked out stands in the fact. Checklist for a new one: docs/checklists/add-a-fact.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/log_range.h"
#include "engine/model/place.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"

namespace engine::model {

// ---- runs

struct RunAccepted {
  RunId run;
  PlanDigest plan;
  std::shared_ptr<const RunContext> context;
  std::vector<NamedValue> env;  ///< the document's `env`, evaluated; JSON strings
  std::vector<std::uint32_t>
      ranks;  ///< per spec: longest remaining path, in ms when durations are known, else hops
  std::vector<base::Duration> known_durations;  ///< per spec, 0 unknown; empty: none known
  std::vector<SpecIndex> not_selected;          ///< `--only` left these out
  std::vector<CarriedJob> carried;
  base::Instant deadline;  ///< run timeout
  std::string idempotency_key;
};
bool operator==(const RunAccepted& a, const RunAccepted& b);

/// The first request ends jobs well; `kill` (the second) also ends `finally`.
struct RunCancelRequested {
  RunId run;
  bool kill = false;
  Reason reason;
  friend bool operator==(const RunCancelRequested&, const RunCancelRequested&) = default;
};

struct RunEnded {
  RunId run;
  Status status = Status::kSucceeded;
  Reason reason;
  std::array<std::uint32_t, kStatusCount> counts{};  ///< jobs per status
  friend bool operator==(const RunEnded&, const RunEnded&) = default;
};

/// Nothing of the run can change any more; the core forgets it.
struct RunClosed {
  RunId run;
  friend bool operator==(const RunClosed&, const RunClosed&) = default;
};

// ---- jobs

/// Needs, stage and `if` allow the job to start; it waits for a slot from here.
struct JobReadied {
  RunId run;
  JobIndex job;
  AttemptNumber attempt = 1;  ///< the one that will be assigned next
  base::Instant queue_deadline;
  std::vector<NamedValue>
      env;  ///< the job's `env` where it holds expressions, evaluated; JSON strings
  /// An attempt before may have done what must not be done twice.
  bool effect_may_be_done = false;
  friend bool operator==(const JobReadied&, const JobReadied&) = default;
};

/// A mere wait, recorded at most once per job and kind of reason.
struct JobWaitNoted {
  RunId run;
  JobIndex job;
  Reason reason;
  friend bool operator==(const JobWaitNoted&, const JobWaitNoted&) = default;
};

/// The attempt failed for `reason` and another follows at `reason.until`. `infra`: at the engine's
/// expense, not the author's. The counts include this one, so that the newest such fact says all.
struct JobBackedOff {
  RunId run;
  JobIndex job;
  bool infra = false;
  Reason reason;
  AttemptNumber attempt = 0;         ///< the one that failed
  std::uint32_t author_retries = 0;  ///< of the author's `retry.max`, spent so far
  std::uint32_t infra_retries = 0;   ///< of the engine's own, spent so far
  /// It may have done what must not be done twice.
  bool effect_may_be_done = false;
  friend bool operator==(const JobBackedOff&, const JobBackedOff&) = default;
};

/// Once a job, skipped jobs included.
struct JobEnded {
  RunId run;
  JobIndex job;
  std::shared_ptr<const JobResult> result;
};
bool operator==(const JobEnded& a, const JobEnded& b);

// ---- attempts

/// Durable before the worker hears of it.
struct AttemptAssigned {
  Lease lease;
  friend bool operator==(const AttemptAssigned&, const AttemptAssigned&) = default;
};

/// The worker took it up: a slot is busy with it. The job's timeout counts from here.
struct AttemptStarted {
  AttemptKey key;
  std::uint32_t slot = 0;
  base::Instant deadline;
  friend bool operator==(const AttemptStarted&, const AttemptStarted&) = default;
};

struct StepStarted {
  AttemptKey key;
  StepIndex step;
  friend bool operator==(const StepStarted&, const StepStarted&) = default;
};

struct StepEnded {
  AttemptKey key;
  StepIndex step;
  Status status = Status::kSucceeded;  ///< skipped: there was no `StepStarted`
  Reason reason;                       ///< exit code, signal, timeout, …
  base::Duration took{0};              ///< by the worker's monotonic clock
  StepLog log;
  friend bool operator==(const StepEnded&, const StepEnded&) = default;
};

/// The engine told the worker to end the attempt. After `deadline` the order is repeated as a kill;
/// after that the attempt counts as lost.
struct AttemptStopRequested {
  AttemptKey key;
  bool kill = false;
  Reason reason;
  base::Instant deadline;
  friend bool operator==(const AttemptStopRequested&, const AttemptStopRequested&) = default;
};

/// Once an attempt. `status` is the attempt's own outcome; the job's is decided by `JobBackedOff`
/// or `JobEnded` after it.
struct AttemptEnded {
  AttemptKey key;
  Status status = Status::kSucceeded;
  bool infra = false;  ///< infrastructure, not the author's commands
  Reason reason;
  base::Duration took{0};  ///< 0 when nobody could say
  friend bool operator==(const AttemptEnded&, const AttemptEnded&) = default;
};

// ---- workers

struct WorkerJoined {
  WorkerId worker;
  SessionId session;
  std::string pool;
  std::uint32_t slots = 0;
  std::uint32_t ahead_max = 0;  ///< attempts it takes beyond its slots, at most, a slot
  /// How long the attempts took that ended on it last, oldest first; only in snapshots.
  std::vector<base::Duration> recent;
  WorkerOffer offer;
  /// No other worker will ever be there: what it cannot take can never run.
  bool alone = false;
  friend bool operator==(const WorkerJoined&, const WorkerJoined&) = default;
};

struct WorkerMarkedSuspect {
  WorkerId worker;
  base::Instant lease_ends;
  friend bool operator==(const WorkerMarkedSuspect&, const WorkerMarkedSuspect&) = default;
};

struct WorkerRecovered {
  WorkerId worker;
  friend bool operator==(const WorkerRecovered&, const WorkerRecovered&) = default;
};

/// Its attempts end as infrastructure failures, by facts that follow in the same batch.
struct WorkerLost {
  WorkerId worker;
  Reason reason;
  friend bool operator==(const WorkerLost&, const WorkerLost&) = default;
};

/// It is given nothing new until it is lost. Said again when its attempts are to end, too.
struct WorkerMarkedDraining {
  WorkerId worker;
  bool stop_attempts = false;
  Reason reason;
  friend bool operator==(const WorkerMarkedDraining&, const WorkerMarkedDraining&) = default;
};

// ---- coordination

/// The run wants room among runs; none of its jobs begins before `RunAdmitted`.
struct RunQueued {
  RunId run;
  std::uint64_t ticket = 0;  ///< rises with each who asks, runs and jobs alike
  std::vector<GroupClaim> claims;
  Reason reason;  ///< who stood in the way when it asked; none: nobody
  friend bool operator==(const RunQueued&, const RunQueued&) = default;
};

/// It holds all of its claims from here to its end.
struct RunAdmitted {
  RunId run;
  friend bool operator==(const RunAdmitted&, const RunAdmitted&) = default;
};

/// Its needs are met; it waits for its `delay`.
struct JobDelayed {
  RunId run;
  JobIndex job;
  base::Instant until;
  friend bool operator==(const JobDelayed&, const JobDelayed&) = default;
};

/// Somebody must say yes before the next attempt: because the author wants it so, or because an
/// attempt before may have done what must not be done twice (`reason` says which).
struct ApprovalRequested {
  RunId run;
  JobIndex job;
  AttemptNumber attempt = 1;  ///< the one that waits for it
  Reason reason;
  base::Instant deadline;
  friend bool operator==(const ApprovalRequested&, const ApprovalRequested&) = default;
};

struct ApprovalDecided {
  RunId run;
  JobIndex job;
  bool approved = false;
  Approval approval;
  friend bool operator==(const ApprovalDecided&, const ApprovalDecided&) = default;
};

/// Nothing but room in its groups is missing. It holds all of its claims from its next `JobReadied`
/// to its end, whatever happens to its attempts.
struct JobQueued {
  RunId run;
  JobIndex job;
  std::uint64_t ticket = 0;
  std::vector<GroupClaim> claims;
  base::Instant deadline;  ///< `queue_timeout`, the wait for a worker included
  std::string environment;
  std::string environment_url;
  Reason reason;  ///< who stood in the way when it asked; none: nobody
  friend bool operator==(const JobQueued&, const JobQueued&) = default;
};

/// Of an attempt that must not overlap another: its worker is lost, or does not answer, and may
/// still run it. It counts as lost at `deadline`, or once the worker is known to be gone.
struct AttemptUnheard {
  AttemptKey key;
  base::Instant deadline;
  friend bool operator==(const AttemptUnheard&, const AttemptUnheard&) = default;
};

/// The list of a `for_each` is known: the run has as many jobs more as it has values beyond the
/// first, behind all it had. In the order of these facts.
struct JobsExpanded {
  RunId run;
  Expansion expansion;
  friend bool operator==(const JobsExpanded&, const JobsExpanded&) = default;
};

/// Order is the stored tag: append only.
using FactBody =
    std::variant<RunAccepted, RunCancelRequested, RunEnded, RunClosed, JobReadied, JobWaitNoted,
                 JobBackedOff, JobEnded, AttemptAssigned, AttemptStarted, StepStarted, StepEnded,
                 AttemptStopRequested, AttemptEnded, WorkerJoined, WorkerMarkedSuspect,
                 WorkerRecovered, WorkerLost, WorkerMarkedDraining, RunQueued, RunAdmitted,
                 JobDelayed, ApprovalRequested, ApprovalDecided, JobQueued, AttemptUnheard,
                 JobsExpanded>;

struct Fact {
  base::Instant at;
  FactBody body;
  friend bool operator==(const Fact&, const Fact&) = default;
};

/// The run a fact belongs to; `RunId()` (0) for facts about workers.
RunId RunOf(const Fact& fact);

/// One line for transcripts and debugging: `attempt_assigned run=… job=3 attempt=1 worker=1`.
std::string ToText(const Fact& fact);

}  // namespace engine::model
