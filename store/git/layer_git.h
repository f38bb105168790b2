// SPDX-License-Identifier: Apache-2.0
// The small `.git` of an unfolded tree: own HEAD, own references (copies), own index, the user's
// objects borrowed. `git status`, `rev-parse`, `describe`, `log` and `diff` in a step tell of the
// recorded state; whatever a step writes goes into its own workspace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/git_source.h"
#include "store/git/git_handle.h"
#include "store/git/object_folder.h"

namespace store::git {

struct LayerGit {
  std::string head;                  ///< content of `HEAD`
  std::string packed_refs;           ///< content of `packed-refs`
  std::string shallow;               ///< content of `shallow`, if there is one
  std::string exclude;               ///< content of `info/exclude`
  std::vector<std::string> objects;  ///< folders to borrow from
  std::int64_t commit_time = 0;      ///< seconds; 0: no commit
  git_oid commit_tree{};
  bool exists = false;  ///< false: no repository, no `.git`
};

/// What the layer's `.git` shall hold. Without a repository at `request.source` nothing.
/// `NotFound` when the repository does not have the commit (any more).
engine::base::StatusOr<LayerGit> DescribeLayerGit(const engine::ports::TreeRequest& request,
                                                  const std::string& own_objects);

/// Everything that would make two `.git` folders differ, for the layer's name.
std::string Fingerprint(const LayerGit& git);

/// Writes `<folder>/.git`; the files of `tree` stand in `folder` already, dated `mtime`.
engine::base::Status WriteLayerGit(const LayerGit& git, const ObjectFolder& objects,
                                   const git_oid& tree, std::int64_t mtime,
                                   const std::string& folder);

}  // namespace store::git
