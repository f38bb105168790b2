// SPDX-License-Identifier: Apache-2.0
// What a commit says of other repositories in its tree, and a tree with their files in it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "store/git/git_handle.h"
#include "store/git/object_folder.h"

namespace store::git {

struct Submodule {
  std::string path;  ///< from the tree's top
  std::string url;   ///< as written; may be relative
  git_oid commit{};
};

/// The id of `.gitmodules` in the tree; nothing: it has none, and so no submodules.
engine::base::StatusOr<std::string> FindModulesFile(const ObjectFolder& objects,
                                                    const git_oid& tree);

/// Those of `tree` that `config` names an address for; `config` is what `git config --list -z`
/// prints of `.gitmodules`. A place without an address, and an address without a place, is none.
engine::base::StatusOr<std::vector<Submodule>> ReadSubmodules(const ObjectFolder& objects,
                                                              const git_oid& tree,
                                                              std::string_view config);

/// `./` and `../` count from the repository that the submodule stands in, as `git submodule` has
/// it. `InvalidArgument`: it leads above the address' top, or from a repository on a network to a
/// folder of this machine.
engine::base::StatusOr<std::string> SubmoduleUrl(const std::string& parent, const std::string& url);

/// `tree` with a folder in the place of each submodule: `trees` by path. Written to `objects`.
engine::base::StatusOr<git_oid> WithSubmodules(ObjectFolder& objects, const git_oid& tree,
                                               const std::map<std::string, git_oid>& trees);

}  // namespace store::git
