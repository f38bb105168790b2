// SPDX-License-Identifier: Apache-2.0
// Pipelines drawn from a seed: stages or needs, matrices, conditions, retries, tolerated failures,
// timeouts, `finally`.
#pragma once

#include "engine/base/random.h"
#include "engine/model/plan.h"

namespace tests::sim {

engine::model::PlanRef DrawPlan(engine::base::Random& random);

}  // namespace tests::sim
