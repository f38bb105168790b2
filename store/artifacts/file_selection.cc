// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/file_selection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "store/artifacts/descriptor.h"
#include "store/artifacts/folder_cursor.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;

std::string_view KindOfSpecial(mode_t mode) {
  if (S_ISSOCK(mode)) {
    return "a socket";
  }
  if (S_ISFIFO(mode)) {
    return "a pipe";
  }
  return "a device";
}

base::StatusOr<std::string> ReadLink(int folder, const std::string& name, const std::string& path) {
  std::string target(4096, '\0');
  const ssize_t length = readlinkat(folder, name.c_str(), target.data(), target.size());
  if (length < 0) {
    return base::FromErrno(errno, "read link '" + path + "'");
  }
  target.resize(static_cast<std::size_t>(length));
  return target;
}

class Finder {
 public:
  Finder(int root, const PathPatterns& patterns)
      : root_(root), patterns_(patterns), matched_(patterns.all().size(), false) {}

  base::Status Start(const PathPatterns::Pattern& pattern);
  Selection Take();

 private:
  base::Status Look(int folder, const std::string& name, const std::string& path);
  base::Status Walk(Descriptor folder, const std::string& path);
  base::Status Add(FoundFile file);

  int root_;
  const PathPatterns& patterns_;
  std::vector<bool> matched_;
  std::map<std::string, FoundFile> found_;
  std::map<std::string, bool> walked_;
  bool wants_git_ = false;
};

base::Status Finder::Start(const PathPatterns::Pattern& pattern) {
  wants_git_ = wants_git_ || pattern.prefix == ".git" || pattern.prefix.starts_with(".git/");
  if (pattern.prefix.empty()) {
    ASSIGN_OR_RETURN(Descriptor folder, OpenFolder(fmt::format("/proc/self/fd/{}", root_)));
    return Walk(std::move(folder), "");
  }
  FolderCursor cursor(root_);
  const base::StatusOr<int> parent = cursor.ParentOf(pattern.prefix);
  if (parent.status().code() == absl::StatusCode::kNotFound) {
    return base::OkStatus();  // reported as unmatched
  }
  RETURN_IF_ERROR(parent.status());
  return Look(*parent, NameIn(pattern.prefix), pattern.prefix);
}

base::Status Finder::Look(int folder, const std::string& name, const std::string& path) {
  struct stat status {};
  if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    // Gone since the folder was listed, or named by a path and not there.
    return errno == ENOENT ? base::OkStatus() : base::FromErrno(errno, "look at '" + path + "'");
  }
  FoundFile file = {.path = path,
                    .mode = status.st_mode & 0777U,
                    .mtime_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
  const bool included = patterns_.Includes(path);
  if (S_ISDIR(status.st_mode)) {
    file.kind = FileKind::kFolder;
    if (included) {
      RETURN_IF_ERROR(Add(std::move(file)));
    }
    Descriptor inner(openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner.is_open()) {
      return included ? base::InvalidArgument("folder '{}' cannot be read: {}", path,
                                              std::strerror(errno))
                      : base::OkStatus();
    }
    return Walk(std::move(inner), path);
  }
  if (!included) {
    return base::OkStatus();
  }
  if (S_ISLNK(status.st_mode)) {
    file.kind = FileKind::kLink;
    ASSIGN_OR_RETURN(file.target, ReadLink(folder, name, path));
  } else if (S_ISREG(status.st_mode)) {
    file.size = static_cast<std::uint64_t>(status.st_size);
  } else {
    return base::InvalidArgument("'{}' is {}; only files, folders and links can be kept", path,
                                 KindOfSpecial(status.st_mode));
  }
  return Add(std::move(file));
}

base::Status Finder::Walk(Descriptor folder, const std::string& path) {
  if (!walked_.emplace(path, true).second) {
    return base::OkStatus();
  }
  std::vector<std::string> names;
  const int listing_fd = dup(folder.get());
  DIR* const listing = listing_fd < 0 ? nullptr : fdopendir(listing_fd);
  if (listing == nullptr) {
    return base::FromErrno(errno, "list folder '" + path + "'");
  }
  for (const dirent* entry = readdir(listing); entry != nullptr; entry = readdir(listing)) {
    const std::string_view name = entry->d_name;
    const bool own_git = path.empty() && name == ".git" && !wants_git_;
    if (name != "." && name != ".." && !own_git) {
      names.emplace_back(name);
    }
  }
  closedir(listing);
  for (const std::string& name : names) {
    RETURN_IF_ERROR(Look(folder.get(), name, path.empty() ? name : path + "/" + name));
  }
  return base::OkStatus();
}

base::Status Finder::Add(FoundFile file) {
  for (std::size_t i = 0; i < matched_.size(); ++i) {
    const PathPatterns::Pattern& pattern = patterns_.all()[i];
    if (!matched_[i] && file.kind != FileKind::kFolder &&
        (pattern.excludes || PathPatterns::Covers(pattern, file.path))) {
      matched_[i] = true;
    }
  }
  found_.emplace(file.path, std::move(file));
  return base::OkStatus();
}

Selection Finder::Take() {
  Selection selection;
  for (auto& [path, file] : found_) {
    selection.files.push_back(std::move(file));
  }
  for (std::size_t i = 0; i < matched_.size() && selection.unmatched < 0; ++i) {
    if (!matched_[i] && !patterns_.all()[i].excludes) {
      selection.unmatched = static_cast<int>(i);
    }
  }
  return selection;
}

}  // namespace

base::StatusOr<Selection> SelectFiles(int root, const PathPatterns& patterns) {
  Finder finder(root, patterns);
  for (const PathPatterns::Pattern& pattern : patterns.all()) {
    if (!pattern.excludes) {
      RETURN_IF_ERROR(finder.Start(pattern));
    }
  }
  return finder.Take();
}

}  // namespace store::artifacts
