// SPDX-License-Identifier: Apache-2.0
// Chunks in a local folder, named by their SHA-256: `<folder>/ab/<64 hex digits>`. A chunk is
// written to a temporary name, flushed, renamed and its folder flushed, so a name that exists holds
// whole content. Any number of processes may share the folder.
//
// A chunk's modification time says when somebody last relied on it: wrote it, or found it there and
// did not write it again. A sweep removes what nobody refers to and nobody relied on for a while;
// `<folder>/lock` keeps it from doing so while somebody is just finding the chunk.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/ports/artifact_store.h"

namespace store::artifacts {

struct SweptChunks {
  std::uint64_t removed = 0;
  std::uint64_t removed_bytes = 0;
  std::uint64_t kept = 0;
};

class LocalStore : public engine::ports::ArtifactStore {
 public:
  /// Makes the folder when it is missing, and removes temporary files of dead writers.
  static engine::base::StatusOr<std::unique_ptr<LocalStore>> Open(const std::string& folder);

  /// `ResourceExhausted` when the disk (or quota) is full, `InvalidArgument` above
  /// `kChunkBytesMax`.
  engine::base::StatusOr<engine::base::Digest> Put(std::string_view bytes) override;
  /// A chunk that turns out damaged is removed, so that it can be stored again.
  engine::base::StatusOr<std::string> Get(const engine::base::Digest& digest) override;
  engine::base::StatusOr<bool> Has(const engine::base::Digest& digest) override;

  /// Removes all chunks but `keep` and those that somebody relied on at or after `older_than`.
  engine::base::StatusOr<SweptChunks> Sweep(const std::set<engine::base::Digest>& keep,
                                            engine::base::Instant older_than);

 private:
  explicit LocalStore(std::string folder) : folder_(std::move(folder)) {}
  std::string PathOf(const engine::base::Digest& digest) const;
  /// It is there, and no sweep takes it for a while.
  bool Rely(const std::string& path, std::uint64_t size) const;
  engine::base::Status Publish(const std::string& temporary, const std::string& path) const;
  void RemoveDamaged(int file, const std::string& path) const;
  engine::base::Status SweepFolder(const std::string& name,
                                   const std::set<engine::base::Digest>& keep,
                                   engine::base::Instant older_than, SweptChunks& swept) const;
  std::string folder_;
};

}  // namespace store::artifacts
