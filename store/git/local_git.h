// SPDX-License-Identifier: Apache-2.0
// `GitSource` over libgit2, with an object folder and unfolded trees of Dayfly's own. The user's
// objects are borrowed for reading; nothing is ever written into the user's repository, not even
// its index. What an unfolded tree looks like stands in docs/steps.md ("The workspace").
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/git_source.h"

namespace store::git {

struct LocalGitOptions {
  std::string objects_folder;  ///< `$DAYFLY_HOME/objects`; a git object folder, made when missing
  std::string trees_folder;    ///< `$DAYFLY_HOME/trees`; made when missing
  std::uint64_t files_max = 500'000;
  std::uint64_t files_max_plain = 100'000;   ///< of a folder that is no repository
  std::uint64_t new_bytes_max = 4ULL << 30;  ///< of files that no commit holds
  std::uint32_t trees_kept = 8;              ///< newest unfolded trees that no run uses
  /// For tests: called each time all files were read, before they are looked at again.
  std::function<void()> after_reading;
};

class LocalGit : public engine::ports::GitSource {
 public:
  static engine::base::StatusOr<std::unique_ptr<LocalGit>> Open(LocalGitOptions options);
  ~LocalGit() override;

  engine::base::StatusOr<engine::ports::WorkingTree> WriteWorkingTree(
      const std::string& folder) override;
  engine::base::StatusOr<std::string> UnfoldTree(
      const engine::ports::TreeRequest& request) override {
    return UnfoldTree(request, {});
  }
  /// Where else what a tree holds may stand.
  struct Elsewhere {
    std::vector<std::string> objects;      ///< git object folders
    std::vector<std::string> large_files;  ///< `lfs/objects` of repositories
  };
  engine::base::StatusOr<std::string> UnfoldTree(const engine::ports::TreeRequest& request,
                                                 const Elsewhere& elsewhere);
  engine::base::StatusOr<std::string> UnfoldFilled(const std::string& name,
                                                   const Fill& fill) override;
  void ReleaseTree(const std::string& folder) override;

  /// Removes the oldest unfolded trees that nobody uses, beyond `trees_kept`. Returns how many.
  engine::base::StatusOr<std::uint32_t> RemoveOldTrees();

 private:
  class Unfolding;
  struct Locks;
  explicit LocalGit(LocalGitOptions options);

  LocalGitOptions options_;
  std::unique_ptr<Locks> locks_;  ///< of the trees this object unfolded, held as long as it lives
};

}  // namespace store::git
