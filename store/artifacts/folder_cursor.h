// SPDX-License-Identifier: Apache-2.0
// Reaches files below one folder without ever following a link: each part of a path is opened by
// itself. Remembers the folder used last, so that a sorted list of paths costs few opens.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "store/artifacts/descriptor.h"

namespace store::artifacts {

class FolderCursor {
 public:
  /// `root` stays open elsewhere.
  explicit FolderCursor(int root) : root_(root) {}

  /// The folder that `path` (relative, without `.` and `..`) lies in; valid until the next call.
  /// `make`: missing folders are made. `NotFound`, or `InvalidArgument` when a part is a link or no
  /// folder.
  engine::base::StatusOr<int> ParentOf(std::string_view path, bool make = false);
  /// The folder `path` itself; empty: the root.
  engine::base::StatusOr<int> Folder(std::string_view path, bool make = false);

 private:
  int root_;
  std::string current_;  ///< what `folder_` is; empty: the root
  Descriptor folder_;
};

/// The last part.
std::string NameIn(std::string_view path);

/// `InvalidArgument` unless `path` is relative, not empty, without empty parts, `.`, `..` and NUL.
engine::base::Status CheckInnerPath(std::string_view path);

engine::base::StatusOr<Descriptor> OpenFolder(const std::string& path);

}  // namespace store::artifacts
