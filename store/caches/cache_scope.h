// SPDX-License-Identifier: Apache-2.0
// Whose caches a run sees: those of its own branch, then those of the repository's default branch,
// and of no other. So a pull request can use what the main line saved, but nobody can slip anything
// into the main line's. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/model/run_context.h"

namespace store::caches {

struct CacheScopes {
  std::string own;                  ///< where the run saves, and looks first
  std::vector<std::string> others;  ///< where it may look, too
};

/// Branches, tags and pull requests of one repository (or folder) are scopes of their own.
CacheScopes ScopesOf(const engine::model::RunContext& context);

}  // namespace store::caches
