// SPDX-License-Identifier: Apache-2.0
// The spec of one job on the wire; see `cut_plan.h` for what is left out of it.
#pragma once

#include "api/wire/agent.pb.h"
#include "engine/base/status.h"
#include "engine/model/plan.h"

namespace api::wire {

void JobToWire(const engine::model::Plan& plan, engine::model::JobIndex job,
               dayfly::v1::AssignedJob* out);

/// As `CutPlan` would make it.
engine::base::StatusOr<engine::model::Plan> PlanFrom(const dayfly::v1::AssignedJob& job);

}  // namespace api::wire
