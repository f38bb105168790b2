// SPDX-License-Identifier: Apache-2.0
// Where pipeline files come from: the disk, or a commit, or a test's memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/plan.h"

namespace dsl {

/// A file as it is at a branch, tag or commit of another repository.
struct RepositoryFile {
  std::string repo;
  std::string ref;
  std::string path;
};
/// `repo@ref:path`: by what messages and plans name it.
std::string ToText(const RepositoryFile& file);

class SourceLoader {
 public:
  virtual ~SourceLoader() = default;
  /// The whole file. `NotFound`: there is none; `FailedPrecondition`: it is no ordinary file;
  /// `ResourceExhausted`: larger than the limit; `PermissionDenied`. The message says what is
  /// wrong, without the path.
  virtual engine::base::StatusOr<std::string> Load(const std::string& path) = 0;
  /// A file of another repository; the same errors.
  virtual engine::base::StatusOr<std::string> LoadFrom(const RepositoryFile& file) = 0;
};

class DiskSourceLoader final : public SourceLoader {
 public:
  explicit DiskSourceLoader(
      std::uint64_t bytes_max = engine::model::DefaultSettings().file_bytes_max)
      : bytes_max_(bytes_max) {}
  engine::base::StatusOr<std::string> Load(const std::string& path) override;
  /// `Unimplemented`.
  engine::base::StatusOr<std::string> LoadFrom(const RepositoryFile& file) override;

 private:
  std::uint64_t bytes_max_;
};

/// Files by name, for tests, benches and text that is already there; those of other repositories by
/// their `ToText`.
class MemorySourceLoader final : public SourceLoader {
 public:
  void Add(std::string path, std::string text) { files_[std::move(path)] = std::move(text); }
  engine::base::StatusOr<std::string> Load(const std::string& path) override;
  engine::base::StatusOr<std::string> LoadFrom(const RepositoryFile& file) override {
    return Load(ToText(file));
  }

 private:
  std::map<std::string, std::string> files_;
};

}  // namespace dsl
