// SPDX-License-Identifier: Apache-2.0
#include "dsl/plan_edges.h"

#include <string_view>

namespace dsl {

using engine::base::AsIndex;
using engine::model::JobIndex;
using engine::model::JobSpec;
using engine::model::kNoStage;
using engine::model::Need;
using engine::model::NeedOn;
using engine::model::Plan;
using engine::model::SpecIndex;

std::string_view ToText(NeedOn on) {
  switch (on) {
    case NeedOn::kSuccess:
      return "success";
    case NeedOn::kFailure:
      return "failure";
    case NeedOn::kEnd:
      return "end";
  }
  return "";
}

const std::vector<JobIndex>& CellsOfNeed(const JobSpec& spec, const Need& need) {
  return RareOf(spec).need_cells[need.cells - 1U];
}

PlanEdges::PlanEdges(const Plan& plan) : plan_(plan) {
  first_job_.assign(plan.specs.size() + 1, 0);
  std::vector<std::uint32_t> in_stage(plan.stages.size() + 1, 0);
  for (const engine::model::PlannedJob& job : plan.jobs) {
    ++first_job_[AsIndex(job.spec) + 1];
    const JobSpec& spec = plan.specs[AsIndex(job.spec)];
    if (spec.stage != kNoStage) {
      ++in_stage[spec.stage + 1];
    }
  }
  for (std::size_t i = 1; i < first_job_.size(); ++i) {
    first_job_[i] += first_job_[i - 1];
  }
  for (std::size_t i = 1; i < in_stage.size(); ++i) {
    in_stage[i] += in_stage[i - 1];
  }
  stage_begin_ = in_stage;
  by_stage_.resize(in_stage.back());
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    const JobSpec& spec = SpecOf(plan, JobIndex(i));
    if (spec.stage != kNoStage) {
      by_stage_[in_stage[spec.stage]++] = JobIndex(i);
    }
  }
  for (std::uint32_t i = 0; i < plan.specs.size(); ++i) {
    const JobSpec& spec = plan.specs[i];
    std::uint64_t needed = 0;
    for (const Need& need : spec.needs) {
      needed += need.cells == 0 ? CellsOf(need.spec) : CellsOfNeed(spec, need).size();
    }
    needed += !spec.has_needs && spec.stage != kNoStage ? stage_begin_[spec.stage] : 0;
    count_ += needed * CellsOf(SpecIndex(i));
  }
}

std::uint32_t PlanEdges::CellsOf(SpecIndex spec) const {
  return first_job_[AsIndex(spec) + 1] - first_job_[AsIndex(spec)];
}

void PlanEdges::Visit(JobIndex job, const std::function<void(const Edge&)>& visit) const {
  const JobSpec& spec = SpecOf(plan_, job);
  for (const Need& need : spec.needs) {
    if (need.cells != 0) {
      for (const JobIndex cell : CellsOfNeed(spec, need)) {
        visit({cell, need.on, need.optional});
      }
      continue;
    }
    const std::uint32_t first = first_job_[AsIndex(need.spec)];
    for (std::uint32_t i = 0; i < CellsOf(need.spec); ++i) {
      visit({JobIndex(first + i), need.on, need.optional});
    }
  }
  if (!spec.has_needs && spec.stage != kNoStage) {
    for (std::uint32_t i = 0; i < stage_begin_[spec.stage]; ++i) {
      visit({by_stage_[i], NeedOn::kSuccess, false});
    }
  }
}

}  // namespace dsl
