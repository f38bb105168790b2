// SPDX-License-Identifier: Apache-2.0
// A job's steps: its own, those put around them, and those at the end.
#pragma once

#include <vector>

#include "dsl/compilation.h"
#include "dsl/expressions.h"
#include "engine/model/plan.h"

namespace dsl {

/// The step nodes of a job in the order they run.
struct StepNodes {
  std::vector<NodeRef> steps;  ///< `before`, `steps`, `after`
  std::vector<NodeRef> finally_steps;
  bool lacks_some = false;  ///< of a template that is not there, or not wholly
};

StepNodes CollectSteps(const JobFields& fields, Compilation& compilation);
/// The ids in `nodes`, for expressions; reports what is no good as an id.
std::vector<StepName> NameSteps(const StepNodes& nodes, Compilation& compilation);
/// The steps, those of `finally` behind the others.
std::vector<engine::model::StepSpec> CompileSteps(const std::vector<NodeRef>& nodes,
                                                  std::size_t first_position, JobNames& names,
                                                  const Fields& defaults, Compilation& compilation);

}  // namespace dsl
