// SPDX-License-Identifier: Apache-2.0
// Source that was uploaded to the server instead of being fetched from a repository.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/artifact_archive.h"
#include "engine/ports/git_source.h"

namespace agents::runner {

/// As `GitSource::UnfoldTree`; an uploaded tree's files come through `archive` (null: there is
/// none), once for all jobs of this worker. Blocks; `stop` ends the transfer with `Cancelled`.
engine::base::StatusOr<std::string> UnfoldSource(
    engine::ports::GitSource& git, const engine::ports::TreeRequest& request,
    const std::shared_ptr<engine::ports::ArtifactArchive>& archive, std::stop_token stop);

}  // namespace agents::runner
