// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/whole_unpacker.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <stdio.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "store/artifacts/descriptor.h"
#include "store/artifacts/folder_cursor.h"
#include "store/artifacts/unpacker.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;

constexpr mode_t kOpenMode = 0700;

/// A folder of its own beside what it will be merged with: renaming works only inside of one mount.
class SideFolder {
 public:
  SideFolder(const std::string& root, const Manifest& manifest)
      : manifest_(manifest),
        path_(fmt::format("{}/.dayfly-restore-{}-{}", root, getpid(), ++counter_)) {}
  ~SideFolder() {
    if (folder_.is_open()) {
      OpenFolders();
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
  }
  SideFolder(const SideFolder&) = delete;
  SideFolder& operator=(const SideFolder&) = delete;

  base::Status Make() {
    if (mkdir(path_.c_str(), kOpenMode) != 0) {
      return base::FromErrno(errno, "make folder " + path_);
    }
    ASSIGN_OR_RETURN(folder_, OpenFolder(path_));
    return base::OkStatus();
  }
  int get() const { return folder_.get(); }

 private:
  /// A folder that forbids writing keeps what is in it.
  void OpenFolders() {
    FolderCursor cursor(folder_.get());
    for (const ManifestEntry& entry : manifest_.entries) {
      if (entry.kind != FileKind::kFolder) {
        continue;
      }
      if (const base::StatusOr<int> folder = cursor.Folder(entry.path); folder.ok()) {
        fchmod(*folder, kOpenMode);
      }
    }
  }

  static inline std::atomic<std::uint64_t> counter_ = 0;
  const Manifest& manifest_;
  const std::string path_;
  Descriptor folder_;
};

enum class Found { kNothing, kFolder, kOther };

base::StatusOr<Found> Look(int folder, const std::string& name) {
  struct stat status {};
  if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? base::StatusOr<Found>(Found::kNothing)
                           : base::FromErrno(errno, fmt::format("look at '{}'", name));
  }
  return S_ISDIR(status.st_mode) ? Found::kFolder : Found::kOther;
}

bool IsBelow(std::string_view path, std::string_view folder) {
  return !folder.empty() && path.size() > folder.size() && path.starts_with(folder) &&
         path[folder.size()] == '/';
}

/// What must be renamed so that everything is in its place: the topmost parts of each path that are
/// not there yet, and single files.
class Moves {
 public:
  explicit Moves(int root) : cursor_(root) {}

  base::Status Add(const ManifestEntry& entry) {
    if (entry.path == moved_ || IsBelow(entry.path, moved_)) {
      return base::OkStatus();
    }
    for (std::size_t at = 0; at <= entry.path.size();) {
      const std::size_t end = std::min(entry.path.find('/', at), entry.path.size());
      const std::string part = entry.path.substr(0, end);
      const bool is_last = end == entry.path.size();
      ASSIGN_OR_RETURN(const int folder, cursor_.ParentOf(part));
      ASSIGN_OR_RETURN(const Found found, Look(folder, NameIn(part)));
      const bool wants_folder = !is_last || entry.kind == FileKind::kFolder;
      if (found == Found::kNothing || (found == Found::kOther && !wants_folder)) {
        moved_ = part;
        paths_.push_back(part);
        return base::OkStatus();
      }
      if (found == Found::kOther || !wants_folder) {
        return base::InvalidArgument("'{}' is a {} in the workspace and a {} here", part,
                                     wants_folder ? "link or a file" : "folder",
                                     wants_folder ? "folder" : "file");
      }
      at = end + 1;
    }
    return base::OkStatus();
  }

  const std::vector<std::string>& paths() const { return paths_; }

 private:
  FolderCursor cursor_;
  std::string moved_;  ///< the last; what is below it comes along
  std::vector<std::string> paths_;
};

base::Status Move(int from, int to, const std::string& name, const std::string& path) {
  if (renameat(from, name.c_str(), to, name.c_str()) == 0) {
    return base::OkStatus();
  }
  // To be moved, a folder must be writable itself.
  struct stat status {};
  if (errno == EACCES && fstatat(from, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISDIR(status.st_mode)) {
    fchmodat(from, name.c_str(), kOpenMode, 0);
    const int moved = renameat(from, name.c_str(), to, name.c_str());
    const int error = errno;
    fchmodat(moved == 0 ? to : from, name.c_str(), status.st_mode & 07777U, 0);
    return moved == 0 ? base::OkStatus() : base::FromErrno(error, "put '" + path + "' in place");
  }
  return base::FromErrno(errno, "put '" + path + "' in place");
}

}  // namespace

base::Status UnpackWholeManifest(engine::ports::ArtifactStore& chunks, const Manifest& manifest,
                                 const std::string& root, unsigned threads,
                                 const engine::ports::Transfer& transfer) {
  ASSIGN_OR_RETURN(const Descriptor workspace, OpenFolder(root));
  SideFolder side(root, manifest);
  RETURN_IF_ERROR(side.Make());
  RETURN_IF_ERROR(UnpackManifest(chunks, manifest, side.get(), threads, transfer));
  Moves moves(workspace.get());
  for (const ManifestEntry& entry : manifest.entries) {
    RETURN_IF_ERROR(moves.Add(entry));
  }
  FolderCursor from(side.get());
  FolderCursor to(workspace.get());
  for (const std::string& path : moves.paths()) {
    ASSIGN_OR_RETURN(const int source, from.ParentOf(path));
    ASSIGN_OR_RETURN(const int target, to.ParentOf(path));
    RETURN_IF_ERROR(Move(source, target, NameIn(path), path));
  }
  return base::OkStatus();
}

}  // namespace store::artifacts
