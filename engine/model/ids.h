// SPDX-License-Identifier: Apache-2.0
// The names of things. Indices are positions in a `Plan`; the other ids are drawn outside and enter
// with an input.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/id.h"

namespace engine::model {

/// One execution of a pipeline. 44 bits of milliseconds since the epoch, then 20 random bits: sorts
/// by age.
using RunId = base::Id<struct RunTag>;
/// The unit of ownership: one log, one owner.
using ShardId = base::Id<struct ShardTag>;
/// Grows with each owner of a shard.
using Epoch = base::Id<struct EpochTag>;
/// A machine, pod, container or process that runs attempts.
using WorkerId = base::Id<struct WorkerTag>;
/// One registration of a worker. A report from an older session of the same worker is refused.
using SessionId = base::Id<struct SessionTag>;

/// A `PlannedJob` in `Plan::jobs`.
using JobIndex = base::Index<struct JobTag>;
/// A `JobSpec` in `Plan::specs`.
using SpecIndex = base::Index<struct SpecTag>;
/// A `StageSpec` in `Plan::stages`.
using StageIndex = base::Index<struct StageTag>;
/// A step in an attempt's order: the job's steps, then its `finally` steps.
using StepIndex = base::Index<struct StepTag>;
/// One try of a job, from 1; the fencing token.
using AttemptNumber = std::uint32_t;

/// What a result is reported for and a stop is sent to.
struct AttemptKey {
  RunId run;
  JobIndex job;
  AttemptNumber attempt = 0;
  friend auto operator<=>(const AttemptKey&, const AttemptKey&) = default;
};

/// The pair that says who may report: an attempt, and the worker session it was given to.
struct Lease {
  AttemptKey key;
  WorkerId worker;
  SessionId session;
  friend auto operator<=>(const Lease&, const Lease&) = default;
};

/// 13 characters of Crockford's base 32 in lower case (`01jd2m0q4x7zk`), in the order of the
/// numbers.
std::string ToText(RunId run);
std::optional<RunId> RunIdFromText(std::string_view text);

}  // namespace engine::model
