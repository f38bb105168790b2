// SPDX-License-Identifier: Apache-2.0
// What the history tables say, worked out from facts alone: the same for every store, and the same
// again when the tables are rebuilt from the log. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/status.h"
#include "engine/ports/run_store.h"

namespace store::codec {

/// One row for a run when it is accepted, and one when it has ended.
struct RunHistoryRow {
  engine::model::RunId run;
  bool ended = false;
  engine::base::Instant at{};
  engine::model::PlanDigest plan;  ///< when accepted
  std::string pipeline_file, source, commit, branch, event, by;
  std::string idempotency_key;                                     ///< when accepted
  engine::model::Status status = engine::model::Status::kWaiting;  ///< when ended
  engine::model::Reason reason;
  std::array<std::uint32_t, engine::model::kStatusCount> counts{};
  friend bool operator==(const RunHistoryRow&, const RunHistoryRow&) = default;
};

/// One row for a job when it has ended.
struct JobHistoryRow {
  engine::model::RunId run;
  engine::model::JobIndex job;
  engine::model::Status status = engine::model::Status::kWaiting;
  engine::model::Reason reason;
  engine::base::Instant at{};
  /// The attempt that ended it, and how long that took; 0 when none did (skipped, cancelled early).
  engine::model::AttemptNumber attempt = 0;
  engine::base::Duration took{0};
  friend bool operator==(const JobHistoryRow&, const JobHistoryRow&) = default;
};

/// One row for a job when it claims an environment.
struct DeploymentHistoryRow {
  engine::model::RunId run;
  engine::model::JobIndex job;
  engine::base::Instant at{};
  std::string environment, url;
  friend bool operator==(const DeploymentHistoryRow&, const DeploymentHistoryRow&) = default;
};

struct HistoryRows {
  std::vector<RunHistoryRow> runs;
  std::vector<JobHistoryRow> jobs;
  std::vector<DeploymentHistoryRow> deployments;
  friend bool operator==(const HistoryRows&, const HistoryRows&) = default;
};

using JobCounts = std::array<std::uint32_t, engine::model::kStatusCount>;
/// As text, for people who look into a table: `0,0,0,9,…`.
std::string TextOf(const JobCounts& counts);
/// What cannot be read counts 0.
JobCounts CountsFrom(std::string_view text);

/// Appends what this row of the log leads to. Depends on nothing but the row.
void ProjectHistory(const engine::ports::FactRow& row, HistoryRows& out);

/// The day (since 1970, UTC) that the row belongs to: that on which its run was accepted, which its
/// id tells; for facts about workers, their own.
std::int64_t DayOf(const engine::ports::FactRow& row);

}  // namespace store::codec
