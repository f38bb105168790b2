// SPDX-License-Identifier: Apache-2.0
// A plan cut down to what one job's worker needs: of 100,000 jobs, one, and the names of its needs.
#pragma once

#include "engine/model/effect.h"
#include "engine/model/plan.h"

namespace api::wire {

/// `jobs[0]` and `specs[0]` are the job; behind it stand its needs, names only, each once, in the
/// order of their first mention. What only the server decides by (stage, priority, condition,
/// retries, tolerated failures, limits of the matrix, timeouts that stand in the assignment) is
/// left out, as is the rest of the document.
engine::model::Plan CutPlan(const engine::model::Plan& plan, engine::model::JobIndex job);

/// The assignment with `CutPlan`'s plan: what arrives at the worker.
engine::model::Assignment CutDown(const engine::model::Assignment& assignment);

}  // namespace api::wire
