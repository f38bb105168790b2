// SPDX-License-Identifier: Apache-2.0
// The index of all runs that this user started here: one row a run, for `runs`, `show`, `logs` and
// for durations seen before. It is a convenience that may lag behind; the truth of a run is its own
// log. Threads: an instance is used by one thread at a time; any number of processes at once.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/status.h"
#include "engine/ports/deployment_queries.h"

namespace engine::ports {

/// The process that owns an open run. A pid alone may be another process by now, so it counts only
/// together with the machine's boot and the process' start.
struct RunOwner {
  std::int64_t pid = 0;  ///< 0: nobody
  std::string boot_id;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat
  friend bool operator==(const RunOwner&, const RunOwner&) = default;
};

struct RunRow {
  model::RunId run;
  std::string pipeline;       ///< its name
  std::string pipeline_file;  ///< as in `RunContext`
  std::string source;         ///< folder or repository
  std::string commit;
  std::string branch;
  std::string event;
  model::Status status = model::Status::kRunning;
  base::Instant accepted_at{};
  std::optional<base::Instant> ended_at;
  std::array<std::uint32_t, model::kStatusCount> counts{};  ///< jobs per status, once it has ended
  std::string folder;                                       ///< `$DAYFLY_HOME/runs/<id>`
  RunOwner owner;
  friend bool operator==(const RunRow&, const RunRow&) = default;
};

struct RunFilter {
  std::size_t limit = 50;
  std::string pipeline;  ///< empty: any
  std::string source;    ///< empty: any
  std::string branch;    ///< empty: any
  std::optional<model::Status> status;
};

/// Whose durations: the same pipeline of the same source.
struct PipelineKey {
  std::string pipeline;
  std::string pipeline_file;
  std::string source;
  friend auto operator<=>(const PipelineKey&, const PipelineKey&) = default;
};

class RunQueries {
 public:
  virtual ~RunQueries() = default;

  /// Newest first.
  virtual base::StatusOr<std::vector<RunRow>> ListRuns(const RunFilter& filter) = 0;

  /// By a prefix of the id's text (at least one character; capitals and Crockford's look-alikes are
  /// read as meant). `NotFound`; `InvalidArgument` that lists the candidates when several match.
  virtual base::StatusOr<RunRow> FindRun(std::string_view id_prefix) = 0;

  /// Per job as written (`JobSpec::name`): how long its newest successful attempt took.
  virtual base::StatusOr<std::map<std::string, base::Duration>> KnownDurations(
      const PipelineKey& key) = 0;
};

/// The writing half. Its deployments are those of runs that were saved as ended.
class RunIndex : public RunQueries, public DeploymentQueries {
 public:
  /// Inserts or replaces the row of `row.run`; durable enough for a convenience (survives the
  /// process, not necessarily a power cut).
  virtual base::Status SaveRun(const RunRow& row) = 0;

  /// In one transaction; what is not named keeps its value.
  virtual base::Status SaveDurations(const PipelineKey& key,
                                     const std::map<std::string, base::Duration>& durations) = 0;

  /// All of one run, in place of what it had; a run may have none.
  virtual base::Status SaveDeployments(model::RunId run,
                                       std::span<const model::Deployment> deployments) = 0;
  /// Those for which `SaveDeployments` was called. An older program saved runs without it.
  virtual base::StatusOr<std::set<model::RunId>> RunsWithDeployments() = 0;

  /// Forgets the row (its folder was removed), and its deployments but for those that are the
  /// current ones of their environments. Unknown runs are no error.
  virtual base::Status RemoveRun(model::RunId run) = 0;
};

}  // namespace engine::ports
