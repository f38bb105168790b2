// SPDX-License-Identifier: Apache-2.0
// Looks at the files of a working tree without reading them: which there are, what `git` knows of
// them from its index, and a stamp that tells whether they change.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "store/git/git_handle.h"

namespace store::git {

/// What changes when a file does.
struct FileStamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint32_t mode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct WorkingFile {
  std::string path;  ///< from the top folder
  FileStamp stamp;
  git_filemode_t mode = GIT_FILEMODE_BLOB;  ///< file, executable or link
  git_oid indexed{};      ///< what the index has, when it has this path with this mode
  bool is_known = false;  ///< the file is still what the index has; else it must be read
  bool is_new = false;    ///< not in the index, or not with this mode
  /// `indexed` is in the objects of another repository (a submodule's), not in this one's.
  bool is_foreign = false;
};

struct ScanLimits {
  std::uint64_t files_max = 0;
  /// Folders (device, inode) that are never entered: Dayfly's own state.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> barred;
};

struct Scan {
  std::vector<WorkingFile> files;  ///< ascending by path, bytewise
  std::uint64_t missing = 0;       ///< in the index and not here
  std::uint64_t index_entries = 0;
  bool has_submodules = false;
  bool may_filter = false;  ///< attributes or settings may make a blob differ from its file
  std::vector<std::string> warnings;
};

/// Remembers what is ignored between two scans of the same files.
using IgnoreMemory = std::map<std::string, bool>;

/// Tracked and untracked files of `repository`'s working tree that are not ignored; never `.git`,
/// never `.dayfly/secrets`. Sockets, pipes and devices are left out, as git does.
/// `ResourceExhausted` beyond the limit.
engine::base::StatusOr<Scan> ScanWorkingTree(git_repository* repository, const ScanLimits& limits,
                                             IgnoreMemory& ignored);

}  // namespace store::git
