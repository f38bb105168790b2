// SPDX-License-Identifier: Apache-2.0
// Pipelines drawn from a seed: stages or needs, matrices, conditions, retries, tolerated failures,
// timeouts, `finally`.
#pragma once

#include <string_view>

#include "engine/base/random.h"
#include "engine/model/plan.h"

namespace tests::sim {

inline constexpr std::string_view kOtherPool = "other";

/// With `pools`, some jobs are for `kOtherPool`.
engine::model::PlanRef DrawPlan(engine::base::Random& random, bool pools);

}  // namespace tests::sim
