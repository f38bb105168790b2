// SPDX-License-Identifier: Apache-2.0
// Chunks in a local folder, named by their SHA-256: `<folder>/ab/<64 hex digits>`. A chunk is
// written to a temporary name, flushed, renamed and its folder flushed, so a name that exists holds
// whole content. Any number of processes may share the folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/artifact_store.h"

namespace store::artifacts {

class LocalStore : public engine::ports::ArtifactStore {
 public:
  /// Makes the folder when it is missing, and removes temporary files of dead writers.
  static engine::base::StatusOr<std::unique_ptr<LocalStore>> Open(const std::string& folder);

  /// `ResourceExhausted` when the disk (or quota) is full, `InvalidArgument` above
  /// `kChunkBytesMax`.
  engine::base::StatusOr<engine::base::Digest> Put(std::string_view bytes) override;
  engine::base::StatusOr<std::string> Get(const engine::base::Digest& digest) override;
  engine::base::StatusOr<bool> Has(const engine::base::Digest& digest) override;

 private:
  explicit LocalStore(std::string folder) : folder_(std::move(folder)) {}
  std::string PathOf(const engine::base::Digest& digest) const;
  std::string folder_;
};

}  // namespace store::artifacts
