// SPDX-License-Identifier: Apache-2.0
// Where workspaces come from: source as git trees. Nothing here ever writes into the user's
// repository, its index included. Threads: safe to call from several; calls block.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace engine::ports {

/// A working tree as it stood at one moment, recorded as a git tree.
struct WorkingTree {
  std::string tree;            ///< id, 40 hexadecimal digits
  std::string commit;          ///< HEAD's id; empty without a repository or before the first commit
  std::string branch;          ///< empty when HEAD is detached
  std::string default_branch;  ///< of origin, as far as it is known here; else empty
  std::string tag;             ///< one that names exactly this commit
  std::string root;      ///< the repository's top folder; without a repository the folder itself
  base::Instant time{};  ///< the commit's; epoch when there is none
  bool has_repository = false;
  bool dirty = false;  ///< differs from the commit
  std::uint64_t files = 0;
  std::vector<std::string> warnings;  ///< what was left out, one sentence each
};

/// A recorded tree and what `git` in a workspace shall say of it.
struct TreeRequest {
  std::string tree;
  std::string commit;
  std::string branch;
  std::string source;  ///< a folder in the repository whose objects may be needed; may be empty
  std::uint32_t depth = 0;  ///< so many commits of history; 0: all
  /// With the files of submodules, where the tree only names their commits.
  bool submodules = false;
  bool lfs = false;  ///< with the contents of files that the tree only points to
  friend bool operator==(const TreeRequest&, const TreeRequest&) = default;
};

class GitSource {
 public:
  virtual ~GitSource() = default;

  /// Records tracked and untracked files that are not ignored. `NotFound`: no such folder;
  /// `FailedPrecondition`: a bare repository; `ResourceExhausted`: too many files or bytes, with
  /// the limit; `Aborted`: it kept changing while it was read, names a file.
  virtual base::StatusOr<WorkingTree> WriteWorkingTree(const std::string& folder) = 0;

  /// The folder that holds the tree's files, made at the first call and only read from then on. It
  /// stays until it was released as often as it was unfolded, or as long as this object.
  /// `NotFound`: objects of the tree are gone.
  virtual base::StatusOr<std::string> UnfoldTree(const TreeRequest& request) = 0;

  /// Writes files into `folder`, which exists and is empty.
  using Fill = std::function<base::Status(const std::string& folder)>;
  /// As `UnfoldTree`, for a tree whose files come from elsewhere. `name` (hexadecimal digits) says
  /// which; `fill` is called when no folder holds it yet, and its error is returned. No `.git`.
  virtual base::StatusOr<std::string> UnfoldFilled(const std::string& name, const Fill& fill) = 0;

  /// The caller uses `folder`, which either gave, no longer. Does not block.
  virtual void ReleaseTree(const std::string& /*folder*/) {}
};

}  // namespace engine::ports
