// SPDX-License-Identifier: Apache-2.0
// Writes the trees of a list of files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "store/git/git_handle.h"
#include "store/git/object_folder.h"

namespace store::git {

/// Appends an entry of a tree object; `mode` in octal digits. Entries stand in the order of their
/// names, folders as if theirs ended in `/`.
void PutTreeEntry(std::string_view mode, std::string_view name, const git_oid& id,
                  std::string& out);

struct TreeFile {
  std::string path;
  git_filemode_t mode = GIT_FILEMODE_BLOB;
  git_oid id{};
};

/// `files` ascend by path, bytewise; none is a folder of another. The id of the top tree.
engine::base::StatusOr<git_oid> WriteTrees(ObjectFolder& objects,
                                           const std::vector<TreeFile>& files);

}  // namespace store::git
