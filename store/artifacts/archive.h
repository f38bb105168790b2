// SPDX-License-Identifier: Apache-2.0
// Packs files of a workspace into chunks of an `ArtifactStore` and back. Small files share chunks,
// large ones are split; the manifest (see `manifest.h`) says where everything lies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ports/artifact_archive.h"
#include "engine/ports/artifact_store.h"

namespace store::artifacts {

class Archive : public engine::ports::ArtifactArchive {
 public:
  /// `chunks` outlives the archive. `threads` hash and write at once, each with one chunk in
  /// memory.
  explicit Archive(engine::ports::ArtifactStore& chunks, unsigned threads = 2)
      : chunks_(chunks), threads_(threads == 0 ? 1 : threads) {}

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
  engine::ports::ArtifactStore& chunks_;
  unsigned threads_;
};

}  // namespace store::artifacts
