// SPDX-License-Identifier: Apache-2.0
// The history rows of `store/codec/history.h`, gathered into columns, and the part of a statement
// that inserts them. The same for a commit and for rebuilding history from the log. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/ids.h"
#include "store/codec/history.h"
#include "store/postgres/parameters.h"

namespace store::postgres {

class HistoryInsert {
 public:
  HistoryInsert();

  /// What `row` of the log leads to; `seq` is that of its last fact.
  void Add(const engine::ports::FactRow& row, std::uint64_t seq);
  /// As many parameters as `kHistoryParameters`.
  void AppendTo(Parameters& parameters) const;
  bool empty() const {
    return run_.size() == 0 && job_run_.size() == 0 && deployment_run_.size() == 0;
  }

 private:
  void AddRun(const codec::RunHistoryRow& row, std::int32_t day, std::uint64_t seq);
  void AddJob(const codec::JobHistoryRow& row, std::int32_t day);
  void AddDeployment(const codec::DeploymentHistoryRow& row, std::int32_t day);

  Column run_, at_, day_, seq_, ended_, status_, reason_, detail_, until_, subject_, counts_, plan_,
      pipeline_file_, source_, commit_, branch_, event_, by_, key_;
  Column job_run_, job_, job_at_, took_, job_day_, attempt_, job_status_, job_reason_, job_detail_,
      job_until_, job_subject_;
  Column deployment_run_, deployment_job_, deployment_at_, deployment_day_, environment_, url_;
};

/// Common table expressions that insert `HistoryInsert`'s parameters, `$2` and up, for shard `$1`,
/// once for each row of an expression named `gate` that stands before them. A key that is known
/// keeps its first run.
extern const char* const kInsertHistory;
inline constexpr int kHistoryParameters = 36;

}  // namespace store::postgres
