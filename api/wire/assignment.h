// SPDX-License-Identifier: Apache-2.0
// An assignment on the wire: one job of its plan, checked on the way in.
#pragma once

#include "api/wire/agent.pb.h"
#include "engine/base/status.h"
#include "engine/model/effect.h"

namespace api::wire {

/// From a whole plan or a cut one; what arrives is `CutDown(assignment)` without worker and
/// session.
void ToWire(const engine::model::Assignment& assignment, dayfly::v1::Assignment* out);

/// `lease` has the attempt only: worker and session are known from the stream.
engine::base::StatusOr<engine::model::Assignment> AssignmentFrom(
    const dayfly::v1::Assignment& assignment);

}  // namespace api::wire
