// SPDX-License-Identifier: Apache-2.0
#include "store/git/history.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace store::git {
namespace {

namespace base = engine::base;

base::StatusOr<std::vector<git_oid>> ParentsOf(git_repository* repository, const git_oid& id) {
  Commit commit;
  const int error =
      Take(commit, [&](git_commit** out) { return git_commit_lookup(out, repository, &id); });
  if (error < 0) {
    return FromGit(error, "commit " + ToHex(id));
  }
  std::vector<git_oid> parents;
  for (unsigned i = 0; i < git_commit_parentcount(commit.get()); ++i) {
    parents.push_back(*git_commit_parent_id(commit.get(), i));
  }
  return parents;
}

}  // namespace

base::StatusOr<History> LastCommits(git_repository* repository, const git_oid& commit,
                                    std::uint32_t depth) {
  Odb odb;
  if (const int error =
          Take(odb, [&](git_odb** out) { return git_repository_odb(out, repository); });
      error < 0) {
    return FromGit(error, "open the objects of a repository");
  }
  const auto is_here = [&](const git_oid& id) { return git_odb_exists(odb.get(), &id) != 0; };
  History history;
  history.commits.insert(commit);
  // Breadth first: a commit counts by its shortest way.
  std::vector<git_oid> level = {commit};
  for (std::uint32_t count = 1; !level.empty(); ++count) {
    std::vector<git_oid> next;
    for (const git_oid& id : level) {
      ASSIGN_OR_RETURN(const std::vector<git_oid> parents, ParentsOf(repository, id));
      const bool is_end = !std::ranges::all_of(parents, is_here);
      history.is_short = history.is_short || (is_end && count < depth);
      if (is_end || (count == depth && !parents.empty())) {
        history.cut.insert(id);
        continue;
      }
      for (const git_oid& parent : parents) {
        if (history.commits.insert(parent).second) {
          next.push_back(parent);
        }
      }
    }
    level = std::move(next);
  }
  return history;
}

std::string ShallowFile(const History& history) {
  std::string text;
  for (const git_oid& id : history.cut) {
    text += ToHex(id) + "\n";
  }
  return text;
}

}  // namespace store::git
