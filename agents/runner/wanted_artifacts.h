// SPDX-License-Identifier: Apache-2.0
// Which artifacts a job's `needs` ask for. Pure.
#pragma once

#include <vector>

#include "engine/base/status.h"
#include "engine/model/effect.h"

namespace agents::runner {

/// In the order of `needs`; of a matrix all cells'. `NotFound` names one that a need which ended
/// well did not leave behind; needs that ended otherwise, and optional ones, may lack it.
engine::base::StatusOr<std::vector<engine::model::Artifact>> WantedArtifacts(
    const engine::model::Assignment& assignment);

}  // namespace agents::runner
