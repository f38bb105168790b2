// SPDX-License-Identifier: Apache-2.0
#include "apps/lazy_archive.h"

#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace ports = engine::ports;

}  // namespace

base::StatusOr<ports::ArtifactArchive*> LazyArchive::Opened() {
  const std::lock_guard lock(mutex_);
  if (archive_ == nullptr) {
    ASSIGN_OR_RETURN(store_, store::artifacts::LocalStore::Open(chunks_folder_));
    archive_ = std::make_unique<store::artifacts::Archive>(*store_);
  }
  return archive_.get();
}

base::StatusOr<engine::model::Artifact> LazyArchive::Pack(const ports::PackRequest& request,
                                                          const ports::Transfer& transfer) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->Pack(request, transfer);
}

base::Status LazyArchive::CheckSameFiles(const std::vector<engine::model::Artifact>& artifacts) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->CheckSameFiles(artifacts);
}

base::Status LazyArchive::Unpack(const engine::model::Artifact& artifact, const std::string& root,
                                 const ports::Transfer& transfer) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->Unpack(artifact, root, transfer);
}

base::Status LazyArchive::UnpackWhole(const engine::model::Artifact& artifact,
                                      const std::string& root, const ports::Transfer& transfer) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->UnpackWhole(artifact, root, transfer);
}

base::StatusOr<std::string> LazyArchive::HashFiles(const std::string& root,
                                                   const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->HashFiles(root, paths);
}

base::StatusOr<std::string> LazyArchive::HashTree(const std::string& root,
                                                  const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->HashTree(root, paths);
}

base::StatusOr<std::string> LazyArchive::ReadFiles(const std::string& root,
                                                   const std::vector<std::string>& paths,
                                                   std::uint64_t bytes_max, std::stop_token stop,
                                                   const FileHandler& each) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->ReadFiles(root, paths, bytes_max, std::move(stop), each);
}

base::StatusOr<base::Digest> LazyArchive::PutDocument(std::string_view bytes) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->PutDocument(bytes);
}

base::StatusOr<std::string> LazyArchive::GetDocument(const base::Digest& document) {
  ASSIGN_OR_RETURN(ports::ArtifactArchive * archive, Opened());
  return archive->GetDocument(document);
}

}  // namespace apps
