// SPDX-License-Identifier: Apache-2.0
// Where a submitted run's workspaces come from: a repository and a commit that agents can fetch, or
// a tree that was uploaded.
#pragma once

#include <string>

#include "engine/base/status.h"

namespace apps {

struct SubmitSource {
  std::string repository;  ///< what `git fetch` takes; empty: no source
  std::string tree;        ///< manifest of an uploaded tree, which agents take instead; else empty
  std::string commit;
  std::string branch;
  std::string default_branch;  ///< of origin, as far as it is known here
};

/// `repository` and `commit` as given; what is empty is `origin` and `HEAD` of the repository that
/// this is started in; without an `origin` there is no source, and the server says whether the
/// pipeline needs one. `FailedPrecondition` says what to do: changes that are not committed, a
/// commit that `origin` does not have (as far as was fetched).
engine::base::StatusOr<SubmitSource> FindSource(const std::string& repository,
                                                const std::string& commit);

/// The address of `origin` as an agent on this machine can use it: a path from the top of the
/// working tree, which `git` takes, too, is made absolute. Empty: there is none.
std::string OriginHere();

/// A sentence when the pipeline `text` of `file` is not what the commit has under that name: the
/// text is what runs, the commit is what steps see. Empty when it is, or when that cannot be told.
std::string PipelineDiffers(const SubmitSource& source, const std::string& file, std::string text);

}  // namespace apps
