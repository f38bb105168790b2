// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/same_files.h"

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/artifacts/manifest.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

struct FileAt {
  const Manifest* manifest;
  const ManifestEntry* entry;
};

/// The chunk read last: small files stand side by side in one.
class LastChunk {
 public:
  explicit LastChunk(ports::ArtifactStore& chunks) : chunks_(chunks) {}

  base::StatusOr<std::string_view> Get(const base::Digest& digest) {
    if (digest_ != digest) {
      digest_.reset();
      ASSIGN_OR_RETURN(bytes_, chunks_.Get(digest));
      digest_ = digest;
    }
    return bytes_;
  }

 private:
  ports::ArtifactStore& chunks_;
  std::optional<base::Digest> digest_;
  std::string bytes_;
};

/// A file's content, piece by piece.
class Content {
 public:
  Content(LastChunk& chunk, const FileAt& file) : chunk_(chunk), file_(file) {}

  /// What was not taken yet of the piece at hand; empty at the end.
  base::StatusOr<std::string_view> Look() {
    while (rest_.empty() && next_ < file_.entry->pieces.size()) {
      const Piece& piece = file_.entry->pieces[next_++];
      ASSIGN_OR_RETURN(const std::string_view chunk,
                       chunk_.Get(file_.manifest->chunks[piece.chunk].digest));
      rest_ = chunk.substr(piece.offset, piece.length);
    }
    return rest_;
  }
  void Take(std::size_t bytes) { rest_.remove_prefix(bytes); }

 private:
  LastChunk& chunk_;
  const FileAt file_;
  std::size_t next_ = 0;
  std::string_view rest_;
};

bool HaveSamePieces(const FileAt& a, const FileAt& b) {
  return std::ranges::equal(a.entry->pieces, b.entry->pieces, [&](const Piece& x, const Piece& y) {
    return x.offset == y.offset && x.length == y.length &&
           a.manifest->chunks[x.chunk].digest == b.manifest->chunks[y.chunk].digest;
  });
}

/// The files of all artifacts of one name.
class Files {
 public:
  explicit Files(ports::ArtifactStore& chunks)
      : chunks_(chunks), known_chunk_(chunks), new_chunk_(chunks) {}

  base::Status Add(const model::Artifact& artifact) {
    ASSIGN_OR_RETURN(Manifest manifest, GetManifest(chunks_, artifact.manifest));
    const Manifest& kept = manifests_.emplace_back(std::move(manifest));
    for (const ManifestEntry& entry : kept.entries) {
      const FileAt file = {.manifest = &kept, .entry = &entry};
      const auto [known, is_new] = by_path_.try_emplace(entry.path, file);
      if (is_new) {
        continue;
      }
      ASSIGN_OR_RETURN(const bool same, AreSame(known->second, file));
      if (!same) {
        return base::AlreadyExists("'{}' is in '{}' of several jobs and is not the same in each",
                                   entry.path, artifact.name);
      }
    }
    return base::OkStatus();
  }

 private:
  base::StatusOr<bool> AreSame(const FileAt& known, const FileAt& file) {
    const ManifestEntry& a = *known.entry;
    const ManifestEntry& b = *file.entry;
    if (a.kind != b.kind || a.target != b.target || a.size != b.size) {
      return false;
    }
    return HaveSamePieces(known, file) ? true : HaveSameContent(known, file);
  }

  base::StatusOr<bool> HaveSameContent(const FileAt& known, const FileAt& file) {
    Content left(known_chunk_, known);
    Content right(new_chunk_, file);
    for (;;) {
      ASSIGN_OR_RETURN(const std::string_view x, left.Look());
      ASSIGN_OR_RETURN(const std::string_view y, right.Look());
      const std::size_t both = std::min(x.size(), y.size());
      if (both == 0 || x.substr(0, both) != y.substr(0, both)) {
        return x.empty() && y.empty();
      }
      left.Take(both);
      right.Take(both);
    }
  }

  ports::ArtifactStore& chunks_;
  LastChunk known_chunk_;
  LastChunk new_chunk_;
  std::list<Manifest> manifests_;
  std::map<std::string_view, FileAt> by_path_;
};

}  // namespace

base::Status CheckSameFiles(ports::ArtifactStore& chunks,
                            const std::vector<model::Artifact>& artifacts) {
  std::map<std::string_view, std::vector<const model::Artifact*>> by_name;
  for (const model::Artifact& artifact : artifacts) {
    by_name[artifact.name].push_back(&artifact);
  }
  for (const auto& [name, same_name] : by_name) {
    Files files(chunks);
    for (std::size_t i = 0; same_name.size() > 1 && i < same_name.size(); ++i) {
      RETURN_IF_ERROR(files.Add(*same_name[i]));
    }
  }
  return base::OkStatus();
}

}  // namespace store::artifacts
