// SPDX-License-Identifier: Apache-2.0
// `GitSource` of an agent: fetches commits from the repositories that runs name and unfolds their
// trees.
//
//   <folder>/repositories/<digest of the URL>.git   bare; objects of all runs of one repository
//   <folder>/repositories/<… and the depth>.git     the same for runs that want a part of its
//   history <folder>/objects, <folder>/trees                as of `LocalGit`
//
// Repositories do not share objects with each other: what a step can read there belongs to its own.
// Who wants a commit that somebody fetches already waits for that one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/git_source.h"
#include "store/git/git_command.h"
#include "store/git/local_git.h"
#include "store/git/repository_shelf.h"
#include "store/git/submodules.h"

namespace store::git {

struct FetchedGitOptions {
  std::string folder;  ///< absolute; made when missing, mode 0700
  std::string git_program = "git";
  /// For a URL; nothing: none is needed. Asked on any thread, must not block long.
  std::function<engine::base::StatusOr<std::optional<GitCredential>>(const std::string& url)>
      credential;
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  std::uint32_t trees_kept = 8;
  RepositoryLimits repositories;
};

/// `InvalidArgument` for what cannot be fetched, and for a URL that holds a password (which is not
/// repeated in the message).
engine::base::Status CheckRepositoryUrl(const std::string& url);

class FetchedGit : public engine::ports::GitSource {
 public:
  static engine::base::StatusOr<std::unique_ptr<FetchedGit>> Open(FetchedGitOptions options);
  ~FetchedGit() override;

  /// An agent has no working tree.
  engine::base::StatusOr<engine::ports::WorkingTree> WriteWorkingTree(
      const std::string& folder) override;

  /// `request.source` is a URL and `request.commit` full; `request.tree` may be empty and is the
  /// commit's then. Submodules come with `request.submodules`, each with its one commit and without
  /// a `.git`. `NotFound`: the repository, the commit in it, or one of its large files
  /// does not exist; names them. `Unavailable`: it could not be reached. `InvalidArgument`: see
  /// `CheckRepositoryUrl`; or the password is missing or refused.
  engine::base::StatusOr<std::string> UnfoldTree(
      const engine::ports::TreeRequest& request) override;
  engine::base::StatusOr<std::string> UnfoldFilled(const std::string& name,
                                                   const Fill& fill) override;
  void ReleaseTree(const std::string& folder) override;

  /// Fetches over the network so far.
  std::uint64_t fetches() const;

 private:
  struct Fetching;
  /// Repositories that a tree's objects are in, each held.
  using Held = std::vector<std::string>;
  /// A repository as somebody wants it: here and there, and how much of its history.
  struct Wanted {
    std::string url;
    std::string commit;
    std::uint32_t depth = 0;  ///< 0: all
    bool lfs = false;
    std::string repository;
  };
  explicit FetchedGit(FetchedGitOptions options);
  void LetGo(const Held& held);
  void MakeRoomForTree();
  engine::base::StatusOr<std::string> UnfoldHolding(const engine::ports::TreeRequest& request,
                                                    Held& held);
  engine::base::StatusOr<Wanted> Take(Wanted wanted, Held& held);
  engine::base::StatusOr<git_oid> TreeWithSubmodules(const Wanted& wanted, const git_oid& tree,
                                                     std::uint32_t level, Held& held);
  engine::base::StatusOr<git_oid> TreeOfSubmodule(const Wanted& parent, const Submodule& submodule,
                                                  std::uint32_t level, Held& held);
  engine::base::Status Fetch(const Wanted& wanted);
  engine::base::Status FetchLargeFiles(const Wanted& wanted);
  engine::base::StatusOr<std::string> Git(const std::string& url, const std::string& repository,
                                          std::vector<std::string> arguments) const;

  FetchedGitOptions options_;
  std::unique_ptr<LocalGit> local_;
  std::unique_ptr<RepositoryShelf> shelf_;
  std::unique_ptr<Fetching> fetching_;
};

}  // namespace store::git
