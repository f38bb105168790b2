// SPDX-License-Identifier: Apache-2.0
// Whole folders: copied (sharing blocks where the file system can), removed. Never follows a
// symbolic link, never makes a hard link.
#pragma once

#include <chrono>
#include <string>

#include "engine/base/status.h"

namespace executors::sandboxes {

/// How the bytes of files got there.
struct TreeCopy {
  bool cloned_any = false;  ///< at least one file shares its blocks with the original
  bool copied_any = false;  ///< at least one could not
};

/// Copies what is in `from` into the empty folder `to`: files, folders, symbolic links, with modes
/// and times of change. Anything else is `FailedPrecondition`.
engine::base::StatusOr<TreeCopy> CopyTree(const std::string& from, const std::string& to);

/// Removes `path` and all below, also folders without permissions. Goes on past what cannot be
/// removed, also because another removes it at the same time; stops when `patience` is over. True
/// when nothing is left.
bool RemoveTree(const std::string& path,
                std::chrono::milliseconds patience = std::chrono::milliseconds::max());

}  // namespace executors::sandboxes
