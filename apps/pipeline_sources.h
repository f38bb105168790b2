// SPDX-License-Identifier: Apache-2.0
// A pipeline's files as a command reads them: the disk's, and those of other repositories, for
// which git is asked. Remembers what it read, so that a server can be sent all of it. Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/text_file.h"
#include "dsl/source_loader.h"
#include "store/git/repository_files.h"

namespace apps {

class PipelineSources final : public dsl::SourceLoader {
 public:
  explicit PipelineSources(std::uint64_t file_bytes_max)
      : file_bytes_max_(file_bytes_max), disk_(file_bytes_max) {}

  engine::base::StatusOr<std::string> Load(const std::string& path) override;
  engine::base::StatusOr<std::string> LoadFrom(const dsl::RepositoryFile& file) override;

  /// By the names that plans and messages have for them, in the order they were read.
  const std::vector<NameValue>& read() const { return read_; }
  /// One of them could not be read.
  bool has_failed() const { return has_failed_; }

 private:
  engine::base::StatusOr<std::string> Keep(std::string name,
                                           engine::base::StatusOr<std::string> text);

  std::uint64_t file_bytes_max_;
  dsl::DiskSourceLoader disk_;
  std::unique_ptr<store::git::RepositoryFiles> repositories_;  ///< once one is asked for
  std::vector<NameValue> read_;
  bool has_failed_ = false;
};

}  // namespace apps
