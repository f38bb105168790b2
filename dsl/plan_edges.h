// SPDX-License-Identifier: Apache-2.0
// The needs of single jobs, cell by cell, stage barriers spelled out. Worked out as they are asked
// for, since there may be far more of them than jobs. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/model/plan.h"

namespace dsl {

struct Edge {
  engine::model::JobIndex to;  ///< what is waited for
  engine::model::NeedOn on = engine::model::NeedOn::kSuccess;
  bool optional = false;
};

class PlanEdges {
 public:
  explicit PlanEdges(const engine::model::Plan& plan);

  std::uint64_t count() const { return count_; }
  void Visit(engine::model::JobIndex job, const std::function<void(const Edge&)>& visit) const;
  /// The cells of a spec, or its one job.
  std::uint32_t CellsOf(engine::model::SpecIndex spec) const;

 private:
  const engine::model::Plan& plan_;
  std::vector<std::uint32_t> first_job_;           // of each spec, and one more
  std::vector<engine::model::JobIndex> by_stage_;  // jobs that have a stage, in the order of stages
  std::vector<std::uint32_t> stage_begin_;         // in `by_stage_`, and one more
  std::uint64_t count_ = 0;
};

/// Of a need that names cells: which.
const std::vector<engine::model::JobIndex>& CellsOfNeed(const engine::model::JobSpec& spec,
                                                        const engine::model::Need& need);

/// "success", "failure", "end".
std::string_view ToText(engine::model::NeedOn on);

}  // namespace dsl
