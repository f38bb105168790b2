// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/archive.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/artifacts/descriptor.h"
#include "store/artifacts/file_selection.h"
#include "store/artifacts/folder_cursor.h"
#include "store/artifacts/layout.h"
#include "store/artifacts/manifest.h"
#include "store/artifacts/parallel.h"
#include "store/artifacts/same_files.h"
#include "store/artifacts/unpacker.h"
#include "store/artifacts/whole_unpacker.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

// Reads selected files; one a thread.
class FileReader {
 public:
  explicit FileReader(int root) : cursor_(root) {}

  // Exactly the bytes that the selection saw, or `Aborted`.
  base::Status Read(const FoundFile& file, const ChunkPart& part, std::string& out) {
    ASSIGN_OR_RETURN(const int folder, cursor_.ParentOf(file.path));
    const Descriptor open_file(
        openat(folder, NameIn(file.path).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!open_file.is_open()) {
      return errno == EACCES
                 ? base::InvalidArgument("'{}' cannot be read: {}", file.path, std::strerror(errno))
                 : Changed(file);
    }
    const std::size_t before = out.size();
    out.resize(before + part.length);
    ASSIGN_OR_RETURN(const std::size_t got,
                     ReadAt(open_file.get(), part.file_offset,
                            std::span(out.data() + before, part.length), file.path));
    struct stat status {};
    if (fstat(open_file.get(), &status) != 0) {
      return base::FromErrno(errno, "look at '" + file.path + "'");
    }
    const std::int64_t mtime_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
    const bool same = got == part.length && S_ISREG(status.st_mode) &&
                      static_cast<std::uint64_t>(status.st_size) == file.size &&
                      mtime_ns == file.mtime_ns;
    return same ? base::OkStatus() : Changed(file);
  }

 private:
  static base::Status Changed(const FoundFile& file) {
    return base::Aborted("'{}' changed while it was read", file.path);
  }
  FolderCursor cursor_;
};

base::StatusOr<Selection> Select(int root, const std::vector<std::string>& paths,
                                 bool all_must_match) {
  ASSIGN_OR_RETURN(const PathPatterns patterns, PathPatterns::Make(paths));
  ASSIGN_OR_RETURN(Selection selection, SelectFiles(root, patterns));
  if (all_must_match && selection.unmatched >= 0) {
    return base::NotFound("no file matches '{}'",
                          patterns.all()[static_cast<std::size_t>(selection.unmatched)].text);
  }
  return selection;
}

// Fills in the chunks' names.
base::Status StoreChunks(ports::ArtifactStore& store, unsigned threads, int root,
                         const std::vector<FoundFile>& files, const Layout& layout,
                         const ports::Transfer& transfer, std::vector<ManifestChunk>& chunks) {
  chunks.resize(layout.chunks.size());
  std::vector<FileReader> readers;
  for (unsigned thread = 0; thread < threads; ++thread) {
    readers.emplace_back(root);
  }
  return ForEachInParallel(threads, layout.chunks.size(), transfer.stop,
                           [&](unsigned thread, std::size_t index) -> base::Status {
                             std::string bytes;
                             for (const ChunkPart& part : layout.chunks[index]) {
                               RETURN_IF_ERROR(readers[thread].Read(files[part.file], part, bytes));
                             }
                             ASSIGN_OR_RETURN(chunks[index].digest, store.Put(bytes));
                             chunks[index].size = bytes.size();
                             if (transfer.moved != nullptr) {
                               *transfer.moved += bytes.size();
                             }
                             return base::OkStatus();
                           });
}

Manifest MakeManifest(Selection selection, Layout layout, std::vector<ManifestChunk> chunks) {
  Manifest manifest = {.chunks = std::move(chunks), .entries = {}};
  manifest.entries.reserve(selection.files.size());
  for (std::size_t i = 0; i < selection.files.size(); ++i) {
    FoundFile& file = selection.files[i];
    manifest.entries.push_back({.path = std::move(file.path),
                                .kind = file.kind,
                                .mode = file.mode,
                                .mtime_ns = file.mtime_ns,
                                .size = file.size,
                                .pieces = std::move(layout.pieces[i]),
                                .target = std::move(file.target)});
  }
  return manifest;
}

/// The bytes of the digest.
base::StatusOr<std::string> HashContent(FileReader& reader, const FoundFile& file) {
  base::Hasher hasher;
  for (std::uint64_t at = 0; at < file.size; at += ports::kChunkBytesMax) {
    std::string bytes;
    RETURN_IF_ERROR(reader.Read(
        file, {.file_offset = at, .length = std::min(ports::kChunkBytesMax, file.size - at)},
        bytes));
    hasher.Update(bytes);
  }
  const base::Digest digest = hasher.Finish();
  return std::string(digest.bytes.begin(), digest.bytes.end());
}

/// A digest over what `part_of` says of each file in turn; an empty part counts for none. Empty
/// when none does.
template <typename PartOf>
base::StatusOr<std::string> HashEach(const std::string& root, const std::vector<std::string>& paths,
                                     PartOf part_of) {
  ASSIGN_OR_RETURN(const Descriptor folder, OpenFolder(root));
  ASSIGN_OR_RETURN(const Selection selection, Select(folder.get(), paths, false));
  FileReader reader(folder.get());
  base::Hasher all;
  bool any = false;
  for (const FoundFile& file : selection.files) {
    ASSIGN_OR_RETURN(const std::string part, part_of(reader, file));
    all.Update(part);
    any = any || !part.empty();
  }
  return any ? base::ToHex(all.Finish()) : std::string();
}

}  // namespace

base::StatusOr<model::Artifact> Archive::Pack(const ports::PackRequest& request,
                                              const ports::Transfer& transfer) {
  ASSIGN_OR_RETURN(const Descriptor root, OpenFolder(request.root));
  ASSIGN_OR_RETURN(Selection selection, Select(root.get(), request.paths, true));
  Layout layout = PlanLayout(selection.files);
  std::vector<ManifestChunk> chunks;
  RETURN_IF_ERROR(
      StoreChunks(chunks_, threads_, root.get(), selection.files, layout, transfer, chunks));
  model::Artifact artifact = {.name = request.name};
  for (const FoundFile& file : selection.files) {
    artifact.bytes += file.size;
    artifact.files += file.kind == FileKind::kFolder ? 0 : 1;
  }
  const Manifest manifest =
      MakeManifest(std::move(selection), std::move(layout), std::move(chunks));
  ASSIGN_OR_RETURN(artifact.manifest, PutManifest(chunks_, manifest));
  return artifact;
}

base::Status Archive::CheckSameFiles(const std::vector<model::Artifact>& artifacts) {
  return store::artifacts::CheckSameFiles(chunks_, artifacts);
}

base::Status Archive::Unpack(const model::Artifact& artifact, const std::string& root,
                             const ports::Transfer& transfer) {
  ASSIGN_OR_RETURN(const Manifest manifest, GetManifest(chunks_, artifact.manifest));
  ASSIGN_OR_RETURN(const Descriptor folder, OpenFolder(root));
  return UnpackManifest(chunks_, manifest, folder.get(), threads_, transfer);
}

base::Status Archive::UnpackWhole(const model::Artifact& artifact, const std::string& root,
                                  const ports::Transfer& transfer) {
  ASSIGN_OR_RETURN(const Manifest manifest, GetManifest(chunks_, artifact.manifest));
  return UnpackWholeManifest(chunks_, manifest, root, threads_, transfer);
}

base::StatusOr<std::string> Archive::HashFiles(const std::string& root,
                                               const std::vector<std::string>& paths) {
  return HashEach(root, paths, [](FileReader& reader, const FoundFile& file) {
    return file.kind == FileKind::kFile ? HashContent(reader, file) : std::string();
  });
}

base::StatusOr<std::string> Archive::HashTree(const std::string& root,
                                              const std::vector<std::string>& paths) {
  return HashEach(root, paths,
                  [](FileReader& reader, const FoundFile& file) -> base::StatusOr<std::string> {
                    if (file.kind == FileKind::kFolder) {
                      return std::string();
                    }
                    std::string content = file.target;
                    if (file.kind == FileKind::kFile) {
                      ASSIGN_OR_RETURN(content, HashContent(reader, file));
                    }
                    // Sizes in front: no two lists of files read alike.
                    return fmt::format("{} {} {} {} {} {}\n", static_cast<int>(file.kind),
                                       (file.mode & S_IXUSR) != 0, file.path.size(), file.path,
                                       content.size(), content);
                  });
}

base::StatusOr<std::string> Archive::ReadFiles(const std::string& root,
                                               const std::vector<std::string>& paths,
                                               std::uint64_t bytes_max, std::stop_token stop,
                                               const FileHandler& each) {
  ASSIGN_OR_RETURN(const Descriptor folder, OpenFolder(root));
  ASSIGN_OR_RETURN(const PathPatterns patterns, PathPatterns::Make(paths));
  ASSIGN_OR_RETURN(const Selection selection, SelectFiles(folder.get(), patterns));
  FileReader reader(folder.get());
  for (const FoundFile& file : selection.files) {
    if (stop.stop_requested()) {
      return base::Cancelled("told to stop");
    }
    if (file.kind != FileKind::kFile) {
      continue;
    }
    if (file.size > bytes_max) {
      each(file.path,
           base::ResourceExhausted("has {} bytes; the most are {}", file.size, bytes_max));
      continue;
    }
    std::string bytes;
    const base::Status read = reader.Read(file, {.file_offset = 0, .length = file.size}, bytes);
    each(file.path, read.ok() ? base::StatusOr<std::string>(std::move(bytes)) : read);
  }
  return selection.unmatched < 0
             ? std::string()
             : patterns.all()[static_cast<std::size_t>(selection.unmatched)].text;
}

base::StatusOr<base::Digest> Archive::PutDocument(std::string_view bytes) {
  return chunks_.Put(bytes);
}

base::StatusOr<std::string> Archive::GetDocument(const base::Digest& document) {
  return chunks_.Get(document);
}

}  // namespace store::artifacts
