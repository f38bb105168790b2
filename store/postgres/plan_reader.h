// SPDX-License-Identifier: Apache-2.0
// Reads a plan by its digest. Same thread as the connection.
#pragma once

#include "engine/base/status.h"
#include "engine/model/plan.h"
#include "store/postgres/connection.h"

namespace store::postgres {

/// As `ports::PlanSource::LoadPlan`.
base::StatusOr<engine::model::PlanRef> ReadPlan(Connection& connection,
                                                const engine::model::PlanDigest& digest);

}  // namespace store::postgres
