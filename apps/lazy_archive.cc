// SPDX-License-Identifier: Apache-2.0
#include "apps/lazy_archive.h"

#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"

namespace apps {
namespace {

namespace base = engine::base;

}  // namespace

base::StatusOr<engine::ports::ArtifactArchive*> LazyArchive::Opened() {
  const std::lock_guard lock(mutex_);
  if (archive_ == nullptr) {
    ASSIGN_OR_RETURN(store_, store::artifacts::LocalStore::Open(chunks_folder_));
    archive_ = std::make_unique<store::artifacts::Archive>(*store_);
  }
  return archive_.get();
}

base::StatusOr<engine::model::Artifact> LazyArchive::Pack(const engine::ports::PackRequest& request,
                                                          std::stop_token stop) {
  ASSIGN_OR_RETURN(engine::ports::ArtifactArchive * archive, Opened());
  return archive->Pack(request, std::move(stop));
}

base::Status LazyArchive::Unpack(const engine::model::Artifact& artifact, const std::string& root,
                                 std::stop_token stop) {
  ASSIGN_OR_RETURN(engine::ports::ArtifactArchive * archive, Opened());
  return archive->Unpack(artifact, root, std::move(stop));
}

base::StatusOr<std::string> LazyArchive::HashFiles(const std::string& root,
                                                   const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(engine::ports::ArtifactArchive * archive, Opened());
  return archive->HashFiles(root, paths);
}

}  // namespace apps
