// SPDX-License-Identifier: Apache-2.0
// Writes a tree's files into a folder.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "store/git/git_handle.h"
#include "store/git/object_folder.h"

namespace store::git {

/// A layer with the same time of its files, to share files with (hard links: layers are only read).
struct SimilarLayer {
  std::string folder;
  git_oid tree{};
};

struct LayerFiles {
  const ObjectFolder* objects = nullptr;
  std::int64_t mtime = 0;  ///< of every file, link and folder, in seconds
  const SimilarLayer* similar = nullptr;
  /// Where the contents of large files stand; see `FindLargeFile`.
  std::vector<std::string> large_files;
};

/// `folder` exists and is empty. Trees with names that leave it (`..`, `/`, `.git`) are `DataLoss`.
engine::base::Status WriteLayerFiles(const LayerFiles& layer, const git_oid& tree,
                                     const std::string& folder);

/// One entry of a tree object.
struct TreeEntry {
  std::string name;
  std::uint32_t mode = 0;
  git_oid id{};
};
engine::base::StatusOr<std::vector<TreeEntry>> ReadTree(const ObjectFolder& objects,
                                                        const git_oid& id);

}  // namespace store::git
