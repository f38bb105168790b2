// SPDX-License-Identifier: Apache-2.0
// What must be done outside, once the facts of the same batch are durable. Each is a question whose
// answer is an input; doing it twice is harmless, because its name (the lease) makes it idempotent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"

namespace engine::model {

/// A need's outcome as the job's expressions and downloads see it. For a matrix: the aggregate, and
/// all cells' artifacts.
struct NeedResult {
  SpecIndex spec;
  Status status = Status::kSucceeded;
  std::vector<std::shared_ptr<const JobResult>>
      results;  ///< one; for a matrix one a cell, in order
};

/// All a worker needs to know to run an attempt. Cheap to copy: what is large is shared.
struct Assignment {
  Lease lease;
  /// The run's plan, or as much of it as the worker needs (`api/wire/cut_plan.h`).
  PlanRef plan;
  JobIndex job;  ///< in `plan`; `lease.key.job` is its number in the run
  std::shared_ptr<const RunContext> context;
  std::shared_ptr<const std::vector<NamedValue>> run_env;  ///< document level, evaluated
  std::vector<NamedValue> job_env;                         ///< from `JobReadied::env`
  std::vector<NeedResult> needs;                           ///< in the order of `JobSpec::needs`
  base::Duration timeout{0};                               ///< of the steps, `finally` excluded
  base::Duration grace{0};                                 ///< between signal and kill
  base::Duration finally_budget{0};
  /// An earlier attempt may have done what must not be done twice: steps that can tell are asked.
  bool effect_may_be_done = false;
  std::optional<Approval> approval;  ///< of a job that asked for one
  bool run_cancelled =
      false;  ///< for `cancelled()` in steps of a job that starts after the cancel (`always()`)
};

struct DispatchAttempt {
  Assignment assignment;
};

/// Ends the steps with a signal, grace and a kill, then runs `finally`. With `kill`: ends
/// everything, `finally` too. For an attempt the worker has not begun: it must not begin any more
/// (a tombstone), and reports it cancelled.
struct StopAttempt {
  Lease lease;
  bool kill = false;
  Reason reason;
  base::Duration grace{0};
};

/// Finish and leave. The answer is that the worker is gone.
struct DrainWorker {
  WorkerId worker;
  SessionId session;
  bool stop_attempts = false;
};

using Effect = std::variant<DispatchAttempt, StopAttempt, DrainWorker>;

/// An input that became no fact, and why; it is the sender's acknowledgement.
enum class RefusalCode : std::uint8_t {
  kUnknownRun,
  kUnknownJob,
  kUnknownWorker,
  kStaleAttempt,   ///< an older attempt, or not the one that is running
  kStaleSession,   ///< an older session of the worker, or another worker
  kAlreadyEnded,   ///< attempt, job or run is final
  kRepeated,       ///< said before; nothing new
  kOutOfOrder,     ///< e.g. a step's end before its start
  kAlreadyExists,  ///< same idempotency key or run id
  kInvalid,        ///< the submission itself cannot be accepted; see message
};
std::string_view ToText(RefusalCode code);

struct Refusal {
  RefusalCode code = RefusalCode::kInvalid;
  RunId run;  ///< the run it is about; for `kAlreadyExists` the first run
  std::string message;
};

}  // namespace engine::model
