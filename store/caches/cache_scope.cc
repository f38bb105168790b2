// SPDX-License-Identifier: Apache-2.0
#include "store/caches/cache_scope.h"

#include <string_view>

namespace store::caches {
namespace {

// Neither part can hold a line break: one is a path or an address, the other a git ref's name.
std::string Scope(std::string_view source, std::string_view kind, std::string_view name) {
  std::string scope(source);
  return scope.append("\n").append(kind).append("/").append(name);
}

}  // namespace

CacheScopes ScopesOf(const engine::model::RunContext& context) {
  CacheScopes scopes;
  if (context.event == "pull_request") {
    scopes.own = Scope(context.source, "pull_request", context.branch);
  } else if (context.branch.empty() && !context.tag.empty()) {
    scopes.own = Scope(context.source, "tag", context.tag);
  } else {
    scopes.own = Scope(context.source, "branch", context.branch);
  }
  if (!context.default_branch.empty()) {
    std::string main = Scope(context.source, "branch", context.default_branch);
    if (main != scopes.own) {
      scopes.others.push_back(std::move(main));
    }
  }
  return scopes;
}

}  // namespace store::caches
