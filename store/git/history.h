// SPDX-License-Identifier: Apache-2.0
// The last so many commits of a history, as `git fetch --depth` counts them: along every path from
// one commit, itself the first. Source: git's shallow.c (Documentation/technical/shallow.txt).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "engine/base/status.h"
#include "store/git/git_handle.h"

namespace store::git {

struct GitIdLess {
  bool operator()(const git_oid& a, const git_oid& b) const { return git_oid_cmp(&a, &b) < 0; }
};
using CommitIds = std::set<git_oid, GitIdLess>;

struct History {
  CommitIds commits;
  CommitIds cut;          ///< of `commits`: those whose parents are not told of
  bool is_short = false;  ///< the repository ends before `depth` does
};

/// `depth`: at least 1. Where a parent is not in the repository, its history ends: what its own
/// file `shallow` says changes with every fetch. `NotFound`: `commit` is not there.
engine::base::StatusOr<History> LastCommits(git_repository* repository, const git_oid& commit,
                                            std::uint32_t depth);

/// What `shallow` of a repository with this history holds: a line a commit, ascending.
std::string ShallowFile(const History& history);

}  // namespace store::git
