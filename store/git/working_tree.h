// SPDX-License-Identifier: Apache-2.0
// Records a working tree. See `GitSource::WriteWorkingTree`.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "engine/ports/git_source.h"
#include "store/git/local_git.h"

namespace store::git {

engine::base::StatusOr<engine::ports::WorkingTree> RecordWorkingTree(const LocalGitOptions& options,
                                                                     const std::string& folder);

/// The folder of the repository's objects; of a linked working tree the common one.
std::string ObjectsOf(const std::string& common_folder);

}  // namespace store::git
