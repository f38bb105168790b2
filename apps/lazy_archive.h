// SPDX-License-Identifier: Apache-2.0
// The artifact archive, opened when the first job needs it: most runs have no artifacts.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/ports/artifact_archive.h"
#include "engine/ports/artifact_store.h"

namespace apps {

class LazyArchive final : public engine::ports::ArtifactArchive {
 public:
  explicit LazyArchive(std::string chunks_folder) : chunks_folder_(std::move(chunks_folder)) {}

  engine::base::StatusOr<engine::model::Artifact> Pack(
      const engine::ports::PackRequest& request, const engine::ports::Transfer& transfer) override;
  engine::base::Status CheckSameFiles(
      const std::vector<engine::model::Artifact>& artifacts) override;
  engine::base::Status Unpack(const engine::model::Artifact& artifact, const std::string& root,
                              const engine::ports::Transfer& transfer) override;
  engine::base::Status UnpackWhole(const engine::model::Artifact& artifact, const std::string& root,
                                   const engine::ports::Transfer& transfer) override;
  engine::base::StatusOr<std::string> HashFiles(const std::string& root,
                                                const std::vector<std::string>& paths) override;
  engine::base::StatusOr<std::string> HashTree(const std::string& root,
                                               const std::vector<std::string>& paths) override;
  engine::base::StatusOr<std::string> ReadFiles(const std::string& root,
                                                const std::vector<std::string>& paths,
                                                std::uint64_t bytes_max, std::stop_token stop,
                                                const FileHandler& each) override;
  engine::base::StatusOr<engine::base::Digest> PutDocument(std::string_view bytes) override;
  engine::base::StatusOr<std::string> GetDocument(const engine::base::Digest& document) override;

 private:
  engine::base::StatusOr<engine::ports::ArtifactArchive*> Opened();

  std::string chunks_folder_;
  std::mutex mutex_;
  std::unique_ptr<engine::ports::ArtifactStore> store_;
  std::unique_ptr<engine::ports::ArtifactArchive> archive_;
};

}  // namespace apps
