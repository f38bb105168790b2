// SPDX-License-Identifier: Apache-2.0
// What was seen outside. Inputs may be stale, repeated or reordered; `Step` answers each with facts
// or a refusal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/log_range.h"
#include "engine/model/place.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"

namespace engine::model {

struct SubmitRun {
  RunId run;
  PlanRef plan;
  PlanDigest digest;
  std::shared_ptr<const RunContext> context;
  /// Durations seen in earlier runs, per spec, 0 where unknown; empty: none known.
  std::vector<base::Duration> known_durations;
  std::vector<SpecIndex> not_selected;
  /// Taken over from an earlier run, in its order; `carried` counts the jobs that come of them.
  std::vector<Expansion> expanded;
  std::vector<CarriedJob> carried;
  std::string idempotency_key;
};

struct CancelRun {
  RunId run;
  bool kill = false;  ///< a second plain cancel counts as a kill, too
  std::string by;
};

/// What somebody said to a job that asks. `inputs` are resolved: defaults filled in, types checked.
struct DecideApproval {
  RunId run;
  JobIndex job;
  bool approve = false;
  std::string by;  ///< a name as in `ApprovalSpec::approvers`
  std::vector<NamedValue> inputs;
};

/// The observers of a final run have what they need; it may be forgotten.
struct CloseRun {
  RunId run;
};

struct WorkerConnected {
  WorkerId worker;
  SessionId session;
  std::string pool;
  std::uint32_t slots = 1;
  std::uint32_t ahead_max = 0;
  /// The worker died because its engine did, and somebody started that again (`dayfly run
  /// --resume`): what it ran starts again at once and spends no retry.
  bool owner_restarted = false;
  WorkerOffer offer;
  /// No other worker will ever connect (`dayfly run`).
  bool alone = false;
};
struct WorkerSuspected {
  WorkerId worker;
  SessionId session;
};
struct WorkerReturned {
  WorkerId worker;
  SessionId session;
};
/// Nothing heard for the whole lease.
struct WorkerSilent {
  WorkerId worker;
  SessionId session;
};
/// The provider (or the operating system) says it is no more.
struct WorkerGone {
  WorkerId worker;
  SessionId session;  ///< 0: whichever it has
  std::string cause;  ///< "killed by signal 9", "evicted"; shown to people
};

/// The worker shall take nothing new and leave: its agent, its provider or a person wants it.
struct DrainRequested {
  WorkerId worker;
  SessionId session;           ///< 0: whichever it has
  bool stop_attempts = false;  ///< its attempts end now, in place of being waited for
  std::string by;              ///< shown to people
};

// What a worker reports of an attempt, under its lease.
struct ReportStarted {
  std::uint32_t slot = 0;
};
struct ReportStepStarted {
  StepIndex step;
};
struct ReportStepEnded {
  StepIndex step;
  Status status = Status::kSucceeded;
  Reason reason;
  base::Duration took{0};
  StepLog log;
};
struct ReportEnded {
  Status status = Status::kSucceeded;  ///< succeeded, failed, timed_out or cancelled
  bool infra = false;
  Reason reason;
  base::Duration took{0};
  std::vector<NamedValue> outputs;
  std::vector<SpilledOutput> spilled;
  std::vector<Artifact> artifacts;
  JobRemarks remarks;
};
using Report = std::variant<ReportStarted, ReportStepStarted, ReportStepEnded, ReportEnded>;

/// Several reports of one attempt, in order; short steps arrive whole.
struct AttemptReported {
  Lease lease;
  std::vector<Report> reports;
};

/// The wake-up armed at `NextDeadline` fired.
struct DeadlinePassed {};

using Input = std::variant<SubmitRun, CancelRun, CloseRun, WorkerConnected, WorkerSuspected,
                           WorkerReturned, WorkerSilent, WorkerGone, AttemptReported,
                           DeadlinePassed, DrainRequested, DecideApproval>;

/// The name of the alternative, snake case: `submit_run`.
std::string_view NameOf(const Input& input);

}  // namespace engine::model
