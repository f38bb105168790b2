// SPDX-License-Identifier: Apache-2.0
// Finds the files of a workspace that a list of paths and globs names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "store/artifacts/glob.h"

namespace store::artifacts {

enum class FileKind : std::uint8_t { kFile = 0, kFolder = 1, kLink = 2 };

struct FoundFile {
  std::string path;
  FileKind kind = FileKind::kFile;
  std::uint32_t mode = 0;  ///< permission bits
  std::int64_t mtime_ns = 0;
  std::uint64_t size = 0;  ///< of a file
  std::string target;      ///< of a link
};

struct Selection {
  std::vector<FoundFile> files;  ///< by path, each once
  /// Position of the first pattern that took in no file and no link, or -1.
  int unmatched = -1;
};

/// Follows no link. The workspace's own `.git` is only taken when a path names it. A device, socket
/// or pipe that is selected is `InvalidArgument`.
engine::base::StatusOr<Selection> SelectFiles(int root, const PathPatterns& patterns);

}  // namespace store::artifacts
