// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/manifest.h"

#include <algorithm>
#include <cstddef>

#include "store/artifacts/folder_cursor.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;

constexpr std::string_view kInline = "dayfly-artifact 1 inline\n";
constexpr std::string_view kParts = "dayfly-artifact 1 parts\n";
constexpr std::size_t kDigestBytes = 32;
constexpr std::uint64_t kNoChunk = 0xffffffff;

void PutNumber(std::uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void PutText(std::string_view text, std::string& out) {
  PutNumber(text.size(), out);
  out += text;
}

void PutDigest(const base::Digest& digest, std::string& out) {
  out.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
}

std::uint64_t Zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t Unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

// Reads until something is wrong; from then on everything is empty and `failed` is true.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::string_view byte = Bytes(1);
      if (failed_) {
        return 0;
      }
      const auto bits = static_cast<std::uint64_t>(static_cast<unsigned char>(byte[0]));
      value |= (bits & 0x7f) << shift;
      if (bits < 0x80) {
        return value;
      }
    }
    failed_ = true;
    return 0;
  }
  std::string_view Bytes(std::uint64_t count) {
    if (failed_ || count > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  std::string_view Text() { return Bytes(Number()); }
  base::Digest ReadDigest() {
    base::Digest digest;
    const std::string_view bytes = Bytes(kDigestBytes);
    std::ranges::copy(bytes, digest.bytes.begin());
    return digest;
  }
  // No list has more members than there are bytes left.
  std::uint64_t Count() {
    const std::uint64_t count = Number();
    failed_ = failed_ || count > rest_.size();
    return failed_ ? 0 : count;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

ManifestEntry ReadEntry(Reader& reader) {
  ManifestEntry entry;
  const std::uint64_t kind = reader.Number();
  entry.kind = static_cast<FileKind>(kind <= 2 ? kind : 0);
  entry.path = reader.Text();
  entry.mode = static_cast<std::uint32_t>(reader.Number());
  entry.mtime_ns = Unzigzag(reader.Number());
  if (kind > 2) {
    reader.Bytes(reader.left() + 1);
  } else if (entry.kind == FileKind::kLink) {
    entry.target = reader.Text();
  } else if (entry.kind == FileKind::kFile) {
    entry.size = reader.Number();
    entry.pieces.resize(reader.Count());
    for (Piece& piece : entry.pieces) {
      // One that does not fit in 32 bits is beyond any list of chunks.
      piece.chunk = static_cast<std::uint32_t>(std::min<std::uint64_t>(reader.Number(), kNoChunk));
      piece.offset = reader.Number();
      piece.length = reader.Number();
    }
  }
  return entry;
}

base::Status CheckEntry(const Manifest& manifest, std::size_t index) {
  const ManifestEntry& entry = manifest.entries[index];
  RETURN_IF_ERROR(CheckInnerPath(entry.path));
  if (index > 0 && entry.path <= manifest.entries[index - 1].path) {
    return base::InvalidArgument("'{}' is out of order", entry.path);
  }
  if (entry.mode > 0777 || entry.target.find('\0') != std::string::npos) {
    return base::InvalidArgument("'{}' has a mode or a target that cannot be", entry.path);
  }
  std::uint64_t total = 0;
  for (const Piece& piece : entry.pieces) {
    const bool inside = piece.chunk < manifest.chunks.size() &&
                        piece.offset <= manifest.chunks[piece.chunk].size &&
                        piece.length <= manifest.chunks[piece.chunk].size - piece.offset;
    if (!inside) {
      return base::InvalidArgument("'{}' has a piece outside its chunk", entry.path);
    }
    total += piece.length;
  }
  return total == entry.size ? base::OkStatus()
                             : base::InvalidArgument("'{}': {} bytes in pieces of {}", entry.path,
                                                     entry.size, total);
}

base::Digest DigestOf(std::string_view bytes) {
  base::Digest digest;
  std::ranges::copy(bytes, digest.bytes.begin());
  return digest;
}

}  // namespace

std::string EncodeManifest(const Manifest& manifest) {
  std::string out;
  PutNumber(manifest.chunks.size(), out);
  for (const ManifestChunk& chunk : manifest.chunks) {
    PutDigest(chunk.digest, out);
    PutNumber(chunk.size, out);
  }
  PutNumber(manifest.entries.size(), out);
  for (const ManifestEntry& entry : manifest.entries) {
    PutNumber(static_cast<std::uint64_t>(entry.kind), out);
    PutText(entry.path, out);
    PutNumber(entry.mode, out);
    PutNumber(Zigzag(entry.mtime_ns), out);
    if (entry.kind == FileKind::kLink) {
      PutText(entry.target, out);
    } else if (entry.kind == FileKind::kFile) {
      PutNumber(entry.size, out);
      PutNumber(entry.pieces.size(), out);
      for (const Piece& piece : entry.pieces) {
        PutNumber(piece.chunk, out);
        PutNumber(piece.offset, out);
        PutNumber(piece.length, out);
      }
    }
  }
  return out;
}

base::StatusOr<Manifest> DecodeManifest(std::string_view body) {
  Reader reader(body);
  Manifest manifest;
  manifest.chunks.resize(reader.Count());
  for (ManifestChunk& chunk : manifest.chunks) {
    chunk.digest = reader.ReadDigest();
    chunk.size = reader.Number();
    if (reader.failed() || chunk.size > engine::ports::kChunkBytesMax) {
      return base::InvalidArgument("the manifest's list of chunks is damaged");
    }
  }
  const std::uint64_t count = reader.Count();
  for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) {
    manifest.entries.push_back(ReadEntry(reader));
  }
  if (reader.failed() || !reader.at_end()) {
    return base::InvalidArgument("the manifest is damaged");
  }
  for (std::size_t i = 0; i < manifest.entries.size(); ++i) {
    RETURN_IF_ERROR(CheckEntry(manifest, i));
  }
  // Numbers could have been written longer than they need to be.
  if (EncodeManifest(manifest) != body) {
    return base::InvalidArgument("the manifest is not in its canonical form");
  }
  return manifest;
}

base::StatusOr<base::Digest> PutManifest(engine::ports::ArtifactStore& chunks,
                                         const Manifest& manifest) {
  const std::string body = EncodeManifest(manifest);
  std::string root(kInline);
  if (body.size() + kInline.size() <= engine::ports::kChunkBytesMax) {
    return chunks.Put(root += body);
  }
  root = kParts;
  for (std::size_t at = 0; at < body.size(); at += engine::ports::kChunkBytesMax) {
    ASSIGN_OR_RETURN(const base::Digest part,
                     chunks.Put(std::string_view(body).substr(at, engine::ports::kChunkBytesMax)));
    PutDigest(part, root);
  }
  return chunks.Put(root);
}

namespace {

base::StatusOr<Manifest> ReadManifest(engine::ports::ArtifactStore& chunks,
                                      const base::Digest& root_digest,
                                      std::vector<base::Digest>& parts) {
  ASSIGN_OR_RETURN(const std::string root, chunks.Get(root_digest));
  if (root.starts_with(kInline)) {
    return DecodeManifest(std::string_view(root).substr(kInline.size()));
  }
  if (!root.starts_with(kParts) || (root.size() - kParts.size()) % kDigestBytes != 0) {
    return base::InvalidArgument("chunk {} is no artifact's manifest", base::ToHex(root_digest));
  }
  std::string body;
  for (std::size_t at = kParts.size(); at < root.size(); at += kDigestBytes) {
    parts.push_back(DigestOf(std::string_view(root).substr(at, kDigestBytes)));
    ASSIGN_OR_RETURN(const std::string part, chunks.Get(parts.back()));
    body += part;
  }
  return DecodeManifest(body);
}

}  // namespace

base::StatusOr<Manifest> GetManifest(engine::ports::ArtifactStore& chunks,
                                     const base::Digest& root) {
  std::vector<base::Digest> parts;
  return ReadManifest(chunks, root, parts);
}

base::StatusOr<std::vector<base::Digest>> ListChunks(engine::ports::ArtifactStore& chunks,
                                                     const base::Digest& root) {
  std::vector<base::Digest> all;
  ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(chunks, root, all));
  for (const ManifestChunk& chunk : manifest.chunks) {
    all.push_back(chunk.digest);
  }
  return all;
}

}  // namespace store::artifacts
