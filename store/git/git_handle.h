// SPDX-License-Identifier: Apache-2.0
// libgit2's objects as owners, its error as a status, its start.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <git2.h>

#include "engine/base/status.h"

namespace store::git {

template <typename T, void (*kFree)(T*)>
struct GitFree {
  void operator()(T* object) const { kFree(object); }
};
template <typename T, void (*kFree)(T*)>
using GitHandle = std::unique_ptr<T, GitFree<T, kFree>>;

using Repository = GitHandle<git_repository, git_repository_free>;
using Index = GitHandle<git_index, git_index_free>;
using Odb = GitHandle<git_odb, git_odb_free>;
using OdbObject = GitHandle<git_odb_object, git_odb_object_free>;
using Reference = GitHandle<git_reference, git_reference_free>;
using ReferenceIterator = GitHandle<git_reference_iterator, git_reference_iterator_free>;
using Object = GitHandle<git_object, git_object_free>;
using Commit = GitHandle<git_commit, git_commit_free>;
using Tree = GitHandle<git_tree, git_tree_free>;
using Config = GitHandle<git_config, git_config_free>;
using Diff = GitHandle<git_diff, git_diff_free>;

/// `T* made; int error = make(&made);` as an owner.
template <typename Handle, typename Make>
int Take(Handle& handle, Make make) {
  typename Handle::pointer made = nullptr;
  const int error = make(&made);
  handle.reset(made);
  return error;
}

/// To be called before anything else of libgit2; starts it once.
void StartLibgit2();

/// The status of a call that returned `error` (negative); its message is `what` and libgit2's own.
engine::base::Status FromGit(int error, std::string_view what);

std::string ToHex(const git_oid& id);
/// `InvalidArgument` unless it is 40 hexadecimal digits.
engine::base::StatusOr<git_oid> OidFromHex(const std::string& text);

inline bool operator==(const git_oid& a, const git_oid& b) {
  return git_oid_equal(&a, &b) != 0;
}

}  // namespace store::git
