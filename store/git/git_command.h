// SPDX-License-Identifier: Apache-2.0
// Runs the `git` program for what goes over a network, where it knows more protocols, proxies and
// credential rules than any library. Its environment is clean; it asks nobody at a terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace store::git {

struct GitCredential {
  std::string username;
  std::string password;
};

struct GitCommand {
  std::string program = "git";
  std::vector<std::string> arguments;
  std::string folder;  ///< of a bare repository; empty: none
  /// Reaches git through a helper that reads this process' memory: it stands in no argument, no
  /// variable, no file.
  std::optional<GitCredential> credential;
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  bool as_caller = false;  ///< with the caller's environment and git configuration, not a clean one
};

/// What it printed. `Unavailable` with the cause that git names when it failed; `DeadlineExceeded`;
/// `FailedPrecondition` when there is no such program.
engine::base::StatusOr<std::string> RunGit(const GitCommand& command);

/// That line of git-lfs (3.3) says that the storage was asked and has not got an object.
bool SaysObjectIsGone(std::string_view line);

}  // namespace store::git
