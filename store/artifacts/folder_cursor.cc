// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/folder_cursor.h"

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/stat.h>

namespace store::artifacts {
namespace {

namespace base = engine::base;

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

base::Status CannotEnter(int error, std::string_view path) {
  if (error == ENOENT) {
    return base::NotFound("there is no folder '{}'", path);
  }
  if (error == ELOOP || error == ENOTDIR) {
    return base::InvalidArgument("'{}' is a link or a file where a folder is needed", path);
  }
  return base::FromErrno(error, fmt::format("open folder '{}'", path));
}

base::StatusOr<Descriptor> Enter(int parent, const std::string& name, bool make,
                                 std::string_view path) {
  Descriptor folder(openat(parent, name.c_str(), kFolderFlags));
  if (!folder.is_open() && errno == ENOENT && make) {
    if (mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) {
      return base::FromErrno(errno, fmt::format("make folder '{}'", path));
    }
    folder = Descriptor(openat(parent, name.c_str(), kFolderFlags));
  }
  if (!folder.is_open()) {
    return CannotEnter(errno, path);
  }
  return folder;
}

}  // namespace

base::StatusOr<int> FolderCursor::ParentOf(std::string_view path, bool make) {
  const std::size_t slash = path.rfind('/');
  return Folder(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash), make);
}

base::StatusOr<int> FolderCursor::Folder(std::string_view path, bool make) {
  if (path == current_) {
    return current_.empty() ? root_ : folder_.get();
  }
  const bool below = !current_.empty() && path.size() > current_.size() &&
                     path.starts_with(current_) && path[current_.size()] == '/';
  std::size_t done = below ? current_.size() + 1 : 0;
  Descriptor at;
  int parent = below ? folder_.get() : root_;
  while (done < path.size()) {
    const std::size_t slash = std::min(path.find('/', done), path.size());
    const std::string name(path.substr(done, slash - done));
    ASSIGN_OR_RETURN(Descriptor next, Enter(parent, name, make, path.substr(0, slash)));
    at = std::move(next);
    parent = at.get();
    done = slash + 1;
  }
  current_ = path;
  folder_ = std::move(at);
  return current_.empty() ? root_ : folder_.get();
}

std::string NameIn(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

base::Status CheckInnerPath(std::string_view path) {
  bool good = !path.empty() && path.front() != '/' && path.find('\0') == std::string_view::npos;
  std::size_t at = 0;
  while (good && at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, slash - at);
    good = !part.empty() && part != "." && part != "..";
    at = slash + 1;
  }
  return good ? base::OkStatus()
              : base::InvalidArgument("'{}' is no path inside a workspace", path);
}

base::StatusOr<Descriptor> OpenFolder(const std::string& path) {
  Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) {
    return base::FromErrno(errno, "open folder " + path);
  }
  return folder;
}

}  // namespace store::artifacts
