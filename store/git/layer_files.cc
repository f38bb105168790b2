// SPDX-License-Identifier: Apache-2.0
#include "store/git/layer_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "store/git/large_files.h"

namespace store::git {
namespace {

namespace base = engine::base;

constexpr std::uint32_t kTypeMask = 0170000;

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// `false`: see errno.
bool WriteAll(std::string_view bytes, int file) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(wrote < 0 ? 0 : static_cast<std::size_t>(wrote));
  }
  return true;
}

// As `WriteAll`, what the file at `path` holds.
bool CopyAll(const std::string& path, int file) {
  constexpr std::size_t kPart = std::size_t{1} << 30;
  const OpenFile from(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ssize_t copied = from.get() < 0 ? -1 : 1;
  while (copied > 0) {
    copied = sendfile(file, from.get(), nullptr, kPart);
  }
  return copied == 0;
}

// A folder being written and, where there is one, its like in the similar layer.
struct Place {
  int folder = -1;
  int similar = -1;
  std::vector<TreeEntry> similar_entries;
  std::string path;
};

class Writer {
 public:
  explicit Writer(const LayerFiles& layer) : layer_(layer) {
    times_[0] = times_[1] = {.tv_sec = layer.mtime, .tv_nsec = 0};
  }

  base::Status Write(const git_oid& tree, const Place& place) {
    ASSIGN_OR_RETURN(const std::vector<TreeEntry> entries, ReadTree(*layer_.objects, tree));
    for (const TreeEntry& entry : entries) {
      RETURN_IF_ERROR(WriteEntry(entry, place));
    }
    return futimens(place.folder, times_) == 0 ? base::OkStatus() : Failed("date", place.path);
  }

 private:
  static base::Status Failed(const char* what, const std::string& path) {
    return base::FromErrno(errno, fmt::format("{} '{}'", what, path));
  }

  base::Status WriteEntry(const TreeEntry& entry, const Place& place) {
    const std::string path = place.path.empty() ? entry.name : place.path + "/" + entry.name;
    const auto same_name = std::ranges::find(place.similar_entries, entry.name, &TreeEntry::name);
    const TreeEntry* like = same_name == place.similar_entries.end() ? nullptr : &*same_name;
    switch (entry.mode & kTypeMask) {
      case S_IFDIR:
        return WriteFolder(entry, place, like, path);
      case S_IFREG:
      case S_IFLNK:
        if (like != nullptr && like->mode == entry.mode && like->id == entry.id &&
            linkat(place.similar, entry.name.c_str(), place.folder, entry.name.c_str(), 0) == 0) {
          return base::OkStatus();
        }
        return (entry.mode & kTypeMask) == S_IFLNK ? WriteLink(entry, place, path)
                                                   : WriteFile(entry, place, path);
      default:
        return base::OkStatus();  // a submodule's place, which its `.git` asks for (layer_git.cc)
    }
  }

  base::Status WriteFolder(const TreeEntry& entry, const Place& place, const TreeEntry* like,
                           const std::string& path) {
    if (mkdirat(place.folder, entry.name.c_str(), 0755) != 0) {
      return Failed("make folder", path);
    }
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const OpenFile inner(openat(place.folder, entry.name.c_str(), kFlags));
    if (inner.get() < 0) {
      return Failed("open folder", path);
    }
    Place next = {.folder = inner.get(), .path = path};
    const bool has_like = like != nullptr && (like->mode & kTypeMask) == S_IFDIR;
    const OpenFile similar(has_like ? openat(place.similar, entry.name.c_str(), kFlags) : -1);
    if (similar.get() >= 0) {
      next.similar = similar.get();
      ASSIGN_OR_RETURN(next.similar_entries, ReadTree(*layer_.objects, like->id));
    }
    return Write(entry.id, next);
  }

  base::Status WriteFile(const TreeEntry& entry, const Place& place, const std::string& path) {
    ASSIGN_OR_RETURN(const OdbObject blob, layer_.objects->Read(entry.id, GIT_OBJECT_BLOB));
    const mode_t mode = (entry.mode & S_IXUSR) != 0 ? 0755 : 0644;
    const OpenFile file(
        openat(place.folder, entry.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (file.get() < 0) {
      return Failed("create", path);
    }
    const std::string_view bytes(static_cast<const char*>(git_odb_object_data(blob.get())),
                                 git_odb_object_size(blob.get()));
    const std::optional<std::string> large = FindLargeFile(bytes, layer_.large_files);
    if (!(large.has_value() ? CopyAll(*large, file.get()) : WriteAll(bytes, file.get()))) {
      return Failed("write", path);
    }
    // The mode, whatever the umask made of it; the time, after the last write.
    return fchmod(file.get(), mode) == 0 && futimens(file.get(), times_) == 0
               ? base::OkStatus()
               : Failed("date", path);
  }

  base::Status WriteLink(const TreeEntry& entry, const Place& place, const std::string& path) {
    ASSIGN_OR_RETURN(const OdbObject blob, layer_.objects->Read(entry.id, GIT_OBJECT_BLOB));
    const std::string target(static_cast<const char*>(git_odb_object_data(blob.get())),
                             git_odb_object_size(blob.get()));
    const bool made = symlinkat(target.c_str(), place.folder, entry.name.c_str()) == 0 &&
                      utimensat(place.folder, entry.name.c_str(), times_, AT_SYMLINK_NOFOLLOW) == 0;
    return made ? base::OkStatus() : Failed("make link", path);
  }

  const LayerFiles& layer_;
  timespec times_[2];
};

bool IsGoodName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         !(name.size() == 4 && strncasecmp(name.data(), ".git", 4) == 0);
}

}  // namespace

base::StatusOr<std::vector<TreeEntry>> ReadTree(const ObjectFolder& objects, const git_oid& id) {
  ASSIGN_OR_RETURN(const OdbObject object, objects.Read(id, GIT_OBJECT_TREE));
  std::string_view bytes(static_cast<const char*>(git_odb_object_data(object.get())),
                         git_odb_object_size(object.get()));
  std::vector<TreeEntry> entries;
  while (!bytes.empty()) {
    TreeEntry entry;
    while (!bytes.empty() && bytes.front() >= '0' && bytes.front() <= '7') {
      entry.mode = entry.mode * 8 + static_cast<std::uint32_t>(bytes.front() - '0');
      bytes.remove_prefix(1);
    }
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos || bytes.front() != ' ' ||
        bytes.size() < end + 1 + GIT_OID_RAWSZ || !IsGoodName(bytes.substr(1, end - 1))) {
      return base::DataLoss("tree {} is damaged, or holds a name that cannot be", ToHex(id));
    }
    entry.name = bytes.substr(1, end - 1);
    git_oid_fromraw(&entry.id, reinterpret_cast<const unsigned char*>(bytes.data()) + end + 1);
    bytes.remove_prefix(end + 1 + GIT_OID_RAWSZ);
    entries.push_back(std::move(entry));
  }
  return entries;
}

base::Status WriteLayerFiles(const LayerFiles& layer, const git_oid& tree,
                             const std::string& folder) {
  const OpenFile top(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (top.get() < 0) {
    return base::FromErrno(errno, "open " + folder);
  }
  Place place = {.folder = top.get()};
  const OpenFile similar(layer.similar == nullptr ? -1
                                                  : open(layer.similar->folder.c_str(),
                                                         O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (similar.get() >= 0) {
    base::StatusOr<std::vector<TreeEntry>> entries = ReadTree(*layer.objects, layer.similar->tree);
    if (entries.ok()) {
      place.similar = similar.get();
      place.similar_entries = *std::move(entries);
    }
  }
  return Writer(layer).Write(tree, place);
}

}  // namespace store::git
