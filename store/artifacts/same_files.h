// SPDX-License-Identifier: Apache-2.0
// Whether artifacts can be unpacked into one folder without one's files replacing another's.
#pragma once

#include <vector>

#include "engine/base/status.h"
#include "engine/model/run_context.h"
#include "engine/ports/artifact_store.h"

namespace store::artifacts {

/// Of artifacts with the same name, as the jobs of a matrix make them. `AlreadyExists` names the
/// first path at which two of them hold what is not the same; times and permissions do not count.
/// Contents are read only where the artifacts do not share the chunks they are in.
engine::base::Status CheckSameFiles(engine::ports::ArtifactStore& chunks,
                                    const std::vector<engine::model::Artifact>& artifacts);

}  // namespace store::artifacts
