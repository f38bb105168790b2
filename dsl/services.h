// SPDX-License-Identifier: Apache-2.0
// A job's services: programs that run beside its steps, which wait until all are ready.
#pragma once

#include <vector>

#include "dsl/compilation.h"
#include "dsl/expressions.h"
#include "engine/model/plan.h"

namespace dsl {

struct CompiledServices {
  std::vector<engine::model::StepSpec> steps;   ///< one each, in the background
  std::vector<engine::model::ReadySpec> ready;  ///< like `steps`
};

/// `names` as they are before the job's first step.
CompiledServices CompileServices(NodeRef services, const JobNames& names, Compilation& compilation);

}  // namespace dsl
