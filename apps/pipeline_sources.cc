// SPDX-License-Identifier: Apache-2.0
#include "apps/pipeline_sources.h"

#include <utility>

#include "apps/state_dir.h"

namespace apps {

namespace base = engine::base;

base::StatusOr<std::string> PipelineSources::Load(const std::string& path) {
  return Keep(path, disk_.Load(path));
}

base::StatusOr<std::string> PipelineSources::LoadFrom(const dsl::RepositoryFile& file) {
  if (repositories_ == nullptr) {
    ASSIGN_OR_RETURN(const StateDir state, StateDir::Open());
    repositories_ =
        std::make_unique<store::git::RepositoryFiles>(store::git::RepositoryFilesOptions{
            .folder = state.included_repositories(), .file_bytes_max = file_bytes_max_});
  }
  return Keep(ToText(file), repositories_->Read(file.repo, file.ref, file.path));
}

base::StatusOr<std::string> PipelineSources::Keep(std::string name,
                                                  base::StatusOr<std::string> text) {
  has_failed_ = has_failed_ || !text.ok();
  if (text.ok()) {
    read_.emplace_back(std::move(name), *text);
  }
  return text;
}

}  // namespace apps
