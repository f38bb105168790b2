// SPDX-License-Identifier: Apache-2.0
#include "store/git/git_handle.h"

namespace store::git {

namespace base = engine::base;

void StartLibgit2() {
  // Never shut down: threads of the pool may still use it when the process ends.
  static const int kStarted = git_libgit2_init();
  static_cast<void>(kStarted);
}

base::Status FromGit(int error, std::string_view what) {
  const git_error* last = git_error_last();
  const std::string why = last == nullptr ? std::string("unknown error") : last->message;
  const std::string text = fmt::format("{}: {}", what, why);
  switch (error) {
    case GIT_ENOTFOUND:
      return base::NotFound("{}", text);
    case GIT_EOWNER:
      return base::PermissionDenied(
          "{}; if you trust it: git config --global --add safe.directory <folder>", text);
    case GIT_EEXISTS:
      return base::AlreadyExists("{}", text);
    default:
      return base::Internal("{}", text);
  }
}

std::string ToHex(const git_oid& id) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &id);
}

base::StatusOr<git_oid> OidFromHex(const std::string& text) {
  git_oid id;
  if (text.size() != GIT_OID_HEXSZ || git_oid_fromstr(&id, text.c_str()) != 0) {
    return base::InvalidArgument("'{}' is no git object's id", text);
  }
  return id;
}

}  // namespace store::git
