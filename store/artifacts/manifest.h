// SPDX-License-Identifier: Apache-2.0
// What an artifact is made of, and its stored form. Canonical: the same files give the same bytes.
//
//   root     = "dayfly-artifact 1 inline\n" body | "dayfly-artifact 1 parts\n" digest*
//   body     = chunks entries          (above one chunk: cut into parts, which the root names)
//   chunks   = count (digest size)*    in the order of their first use
//   entries  = count entry*            ascending by path, each path once
//   entry    = kind path mode mtime (file | folder | link)
//   file     = size count (chunk offset length)*      the pieces, in order, make the content
//   link     = target
//
// Numbers are LEB128, `mtime` is zigzag nanoseconds since the epoch, texts stand behind their
// length, digests are 32 raw bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/ports/artifact_store.h"
#include "store/artifacts/file_selection.h"

namespace store::artifacts {

struct ManifestChunk {
  engine::base::Digest digest;
  std::uint64_t size = 0;
  friend bool operator==(const ManifestChunk&, const ManifestChunk&) = default;
};

/// `length` bytes at `offset` of a chunk.
struct Piece {
  std::uint32_t chunk = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const Piece&, const Piece&) = default;
};

struct ManifestEntry {
  std::string path;
  FileKind kind = FileKind::kFile;
  std::uint32_t mode = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t size = 0;
  std::vector<Piece> pieces;
  std::string target;
  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

struct Manifest {
  std::vector<ManifestChunk> chunks;
  std::vector<ManifestEntry> entries;
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

std::string EncodeManifest(const Manifest& manifest);
/// `InvalidArgument` for anything that `EncodeManifest` would not write: paths that leave, wrong
/// order, pieces beyond their chunk, sizes that do not add up.
engine::base::StatusOr<Manifest> DecodeManifest(std::string_view body);

/// Stores it; the digest names the artifact.
engine::base::StatusOr<engine::base::Digest> PutManifest(engine::ports::ArtifactStore& chunks,
                                                         const Manifest& manifest);
engine::base::StatusOr<Manifest> GetManifest(engine::ports::ArtifactStore& chunks,
                                             const engine::base::Digest& root);

/// All that an artifact consists of beside its root: parts of its manifest, chunks of its files.
engine::base::StatusOr<std::vector<engine::base::Digest>> ListChunks(
    engine::ports::ArtifactStore& chunks, const engine::base::Digest& root);

}  // namespace store::artifacts
