// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/unpacker.h"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "store/artifacts/descriptor.h"
#include "store/artifacts/folder_cursor.h"
#include "store/artifacts/parallel.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;

// What a chunk holds: a piece of an entry, and where in the file it goes.
struct Part {
  std::size_t entry = 0;
  std::size_t piece = 0;
  std::uint64_t file_offset = 0;
};

timespec TimeOf(std::int64_t nanoseconds) {
  const std::int64_t billion = 1'000'000'000;
  std::int64_t seconds = nanoseconds / billion;
  std::int64_t rest = nanoseconds % billion;
  if (rest < 0) {
    rest += billion;
    --seconds;
  }
  return {.tv_sec = seconds, .tv_nsec = rest};
}

base::Status Failed(const char* what, const std::string& path) {
  return base::FromErrno(errno, fmt::format("{} '{}'", what, path));
}

base::Status Finish(int fd, const ManifestEntry& entry) {
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, TimeOf(entry.mtime_ns)};
  if (fchmod(fd, entry.mode) != 0 || futimens(fd, times) != 0) {
    return Failed("set mode and time of", entry.path);
  }
  return base::OkStatus();
}

base::Status RemoveOld(int folder, const std::string& name, const std::string& path) {
  if (unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) {
    return base::OkStatus();
  }
  return errno == EISDIR || errno == EPERM
             ? base::InvalidArgument("'{}' is a folder in the workspace and a file here", path)
             : Failed("replace", path);
}

base::StatusOr<Descriptor> CreateFile(int folder, const ManifestEntry& entry) {
  const std::string name = NameIn(entry.path);
  const auto create = [&] {
    return openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  };
  Descriptor file(create());
  if (!file.is_open() && errno == EEXIST) {
    RETURN_IF_ERROR(RemoveOld(folder, name, entry.path));
    file = Descriptor(create());
  }
  if (!file.is_open()) {
    return Failed("create", entry.path);
  }
  return file;
}

base::Status CreateLink(int folder, const ManifestEntry& entry) {
  const std::string name = NameIn(entry.path);
  RETURN_IF_ERROR(RemoveOld(folder, name, entry.path));
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, TimeOf(entry.mtime_ns)};
  if (symlinkat(entry.target.c_str(), folder, name.c_str()) != 0 ||
      utimensat(folder, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    return Failed("make link", entry.path);
  }
  return base::OkStatus();
}

// Folders, links, and files that no single chunk fills; in the order of paths.
base::Status MakeFrame(const Manifest& manifest, int root) {
  FolderCursor cursor(root);
  for (const ManifestEntry& entry : manifest.entries) {
    if (entry.kind == FileKind::kFolder) {
      RETURN_IF_ERROR(cursor.Folder(entry.path, true).status());
      continue;
    }
    ASSIGN_OR_RETURN(const int folder, cursor.ParentOf(entry.path, true));
    if (entry.kind == FileKind::kLink) {
      RETURN_IF_ERROR(CreateLink(folder, entry));
    } else if (entry.pieces.size() != 1) {
      ASSIGN_OR_RETURN(const Descriptor file, CreateFile(folder, entry));
      if (entry.size > 0 && ftruncate(file.get(), static_cast<off_t>(entry.size)) != 0) {
        return Failed("make room for", entry.path);
      }
    }
  }
  return base::OkStatus();
}

base::Status WritePart(FolderCursor& cursor, const ManifestEntry& entry, const Part& part,
                       const std::string& chunk) {
  ASSIGN_OR_RETURN(const int folder, cursor.ParentOf(entry.path));
  const bool whole = entry.pieces.size() == 1;
  Descriptor file;
  if (whole) {
    ASSIGN_OR_RETURN(file, CreateFile(folder, entry));
  } else {
    file =
        Descriptor(openat(folder, NameIn(entry.path).c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!file.is_open()) {
    return Failed("open", entry.path);
  }
  const Piece& piece = entry.pieces[part.piece];
  RETURN_IF_ERROR(WriteAt(file.get(), part.file_offset,
                          std::string_view(chunk).substr(piece.offset, piece.length), entry.path));
  return whole ? Finish(file.get(), entry) : base::OkStatus();
}

std::vector<std::vector<Part>> PartsByChunk(const Manifest& manifest) {
  std::vector<std::vector<Part>> parts(manifest.chunks.size());
  for (std::size_t i = 0; i < manifest.entries.size(); ++i) {
    std::uint64_t at = 0;
    const std::vector<Piece>& pieces = manifest.entries[i].pieces;
    for (std::size_t p = 0; p < pieces.size(); ++p) {
      parts[pieces[p].chunk].push_back({.entry = i, .piece = p, .file_offset = at});
      at += pieces[p].length;
    }
  }
  return parts;
}

// A folder's mode may forbid writing into it and its time changes with what is put in: last, and
// the inner ones first.
base::Status FinishRest(const Manifest& manifest, int root) {
  FolderCursor cursor(root);
  for (auto entry = manifest.entries.rbegin(); entry != manifest.entries.rend(); ++entry) {
    if (entry->kind == FileKind::kFolder) {
      ASSIGN_OR_RETURN(const int folder, cursor.Folder(entry->path));
      RETURN_IF_ERROR(Finish(folder, *entry));
    } else if (entry->kind == FileKind::kFile && entry->pieces.size() != 1) {
      ASSIGN_OR_RETURN(const int folder, cursor.ParentOf(entry->path));
      const Descriptor file(
          openat(folder, NameIn(entry->path).c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
      if (!file.is_open()) {
        return Failed("open", entry->path);
      }
      RETURN_IF_ERROR(Finish(file.get(), *entry));
    }
  }
  return base::OkStatus();
}

}  // namespace

base::Status UnpackManifest(engine::ports::ArtifactStore& chunks, const Manifest& manifest,
                            int root, unsigned threads, const engine::ports::Transfer& transfer) {
  RETURN_IF_ERROR(MakeFrame(manifest, root));
  const std::vector<std::vector<Part>> parts = PartsByChunk(manifest);
  std::vector<FolderCursor> cursors;
  for (unsigned thread = 0; thread < threads; ++thread) {
    cursors.emplace_back(root);
  }
  const base::Status written = ForEachInParallel(
      threads, parts.size(), transfer.stop,
      [&](unsigned thread, std::size_t index) -> base::Status {
        ASSIGN_OR_RETURN(const std::string chunk, chunks.Get(manifest.chunks[index].digest));
        if (chunk.size() != manifest.chunks[index].size) {
          return base::DataLoss("chunk {} has {} bytes, not {}",
                                base::ToHex(manifest.chunks[index].digest), chunk.size(),
                                manifest.chunks[index].size);
        }
        for (const Part& part : parts[index]) {
          RETURN_IF_ERROR(WritePart(cursors[thread], manifest.entries[part.entry], part, chunk));
        }
        if (transfer.moved != nullptr) {
          *transfer.moved += chunk.size();
        }
        return base::OkStatus();
      });
  return written.ok() ? FinishRest(manifest, root) : written;
}

}  // namespace store::artifacts
