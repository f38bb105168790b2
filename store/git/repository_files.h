// SPDX-License-Identifier: Apache-2.0
// Single files of other repositories, at a branch, tag or commit: what pipelines include. One
// commit is fetched without its history into a bare repository under `folder`, and a commit that is
// there is not fetched again. Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "engine/base/status.h"

namespace store::git {

struct RepositoryFilesOptions {
  std::string folder;  ///< absolute; made when missing
  std::string git_program = "git";
  std::chrono::milliseconds timeout = std::chrono::minutes(2);  ///< of one fetch
  std::uint64_t file_bytes_max = 0;
};

class RepositoryFiles {
 public:
  explicit RepositoryFiles(RepositoryFilesOptions options) : options_(std::move(options)) {}

  /// `ref` is looked up once: all files of it that one object reads are of one commit. `NotFound`:
  /// there is no such repository, ref or file; `FailedPrecondition`: it is no ordinary file;
  /// `ResourceExhausted`: too large; `InvalidArgument`: no address, no ref; `Unavailable`: the
  /// repository cannot be reached. Our copy is made anew once when it turns out to be broken. Git
  /// asks nobody at a terminal, but uses the caller's own configuration and credential helpers.
  engine::base::StatusOr<std::string> Read(const std::string& url, const std::string& ref,
                                           const std::string& path);

 private:
  class Clone;
  engine::base::StatusOr<std::string> ReadLocked(Clone& clone, const std::string& url,
                                                 const std::string& ref, const std::string& path);

  RepositoryFilesOptions options_;
  std::map<std::pair<std::string, std::string>, std::string> commits_;  ///< by URL and ref
};

}  // namespace store::git
