// SPDX-License-Identifier: Apache-2.0
// Pipelines drawn from a seed: stages or needs, matrices, conditions, retries, tolerated failures,
// timeouts, `finally`.
#pragma once

#include <string_view>

#include "engine/base/random.h"
#include "engine/model/plan.h"

namespace tests::sim {

inline constexpr std::string_view kOtherPool = "other";

/// What a worker has: some of what jobs of such plans ask for.
engine::model::WorkerOffer DrawOffer(engine::base::Random& random);

/// With `pools`, some jobs are for `kOtherPool`.
engine::model::PlanRef DrawPlan(engine::base::Random& random, bool pools);

}  // namespace tests::sim
