// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/tree_files.h"

#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {
namespace {

using engine::base::FailedPrecondition;
using engine::base::FromErrno;
using engine::base::OkStatus;
using engine::base::Status;
using engine::base::StatusOr;

struct Entry {
  std::string name;
  unsigned char type;
};

StatusOr<std::vector<Entry>> List(int folder_fd) {
  const int again = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = again < 0 ? nullptr : fdopendir(again);
  if (listing == nullptr) {
    return FromErrno(errno, "listing a folder");
  }
  std::vector<Entry> entries;
  while (const dirent* entry = readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      entries.push_back({std::string(name), entry->d_type});
    }
  }
  closedir(listing);
  return entries;
}

Status CopyBytes(int from, int to, const std::string& name) {
  std::vector<char> buffer(256 << 10);
  for (;;) {
    const auto copied = copy_file_range(from, nullptr, to, nullptr, 1U << 30, 0);
    if (copied == 0) {
      return OkStatus();
    }
    if (copied < 0) {
      break;
    }
  }
  // Not between these file systems: by hand, from where it stopped.
  for (;;) {
    const auto bytes = read(from, buffer.data(), buffer.size());
    if (bytes == 0) {
      return OkStatus();
    }
    if (bytes < 0 || write(to, buffer.data(), static_cast<std::size_t>(bytes)) != bytes) {
      return FromErrno(bytes < 0 ? errno : ENOSPC, "copying " + name);
    }
  }
}

/// One walk over a tree; fails at the first thing that cannot be copied.
class Copier {
 public:
  Status Folder(int from, int to) {
    ASSIGN_OR_RETURN(const auto entries, List(from));
    for (const auto& entry : entries) {
      RETURN_IF_ERROR(Item(from, to, entry.name));
    }
    return OkStatus();
  }
  [[nodiscard]] const TreeCopy& result() const { return result_; }

 private:
  Status Item(int from, int to, const std::string& name) {
    struct stat stat {};
    if (fstatat(from, name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) {
      return FromErrno(errno, name);
    }
    if (S_ISLNK(stat.st_mode)) {
      RETURN_IF_ERROR(Link(from, to, name));
    } else if (S_ISDIR(stat.st_mode)) {
      RETURN_IF_ERROR(SubFolder(from, to, name, stat.st_mode));
    } else if (S_ISREG(stat.st_mode)) {
      RETURN_IF_ERROR(File(from, to, name, stat.st_mode));
    } else {
      return FailedPrecondition("{} is neither file, folder nor symbolic link", name);
    }
    const std::array<timespec, 2> times{stat.st_atim, stat.st_mtim};
    if (utimensat(to, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      return FromErrno(errno, name);
    }
    return OkStatus();
  }

  static Status Link(int from, int to, const std::string& name) {
    std::array<char, 4097> target{};
    const auto length = readlinkat(from, name.c_str(), target.data(), target.size() - 1);
    if (length < 0 || symlinkat(target.data(), to, name.c_str()) != 0) {
      return FromErrno(errno, name);
    }
    return OkStatus();
  }

  Status SubFolder(int from, int to, const std::string& name, mode_t mode) {
    if (mkdirat(to, name.c_str(), 0700) != 0) {
      return FromErrno(errno, name);
    }
    const FileDescriptor in(openat(from, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const FileDescriptor out(openat(to, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!in.valid() || !out.valid()) {
      return FromErrno(errno, name);
    }
    RETURN_IF_ERROR(Folder(in.get(), out.get()));
    return fchmod(out.get(), mode & 07777) == 0 ? OkStatus() : FromErrno(errno, name);
  }

  Status File(int from, int to, const std::string& name, mode_t mode) {
    const FileDescriptor in(openat(from, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!in.valid()) {
      return FromErrno(errno, name);
    }
    const FileDescriptor out(
        openat(to, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!out.valid()) {
      return FromErrno(errno, name);
    }
    if (clones_ && ioctl(out.get(), FICLONE, in.get()) == 0) {
      result_.cloned_any = true;
    } else {
      // Where one file cannot share blocks, the next cannot either.
      clones_ = false;
      result_.copied_any = true;
      RETURN_IF_ERROR(CopyBytes(in.get(), out.get(), name));
    }
    return fchmod(out.get(), mode & 07777) == 0 ? OkStatus() : FromErrno(errno, name);
  }

  bool clones_ = true;
  TreeCopy result_;
};

class Remover {
 public:
  explicit Remover(std::chrono::milliseconds patience)
      : patience_(patience), begun_(std::chrono::steady_clock::now()) {}

  bool Remove(int folder_fd, const char* name) {
    if (OutOfPatience()) {
      return false;
    }
    if (unlinkat(folder_fd, name, 0) == 0 || errno == ENOENT) {
      return true;
    }
    if (errno != EISDIR && errno != EPERM) {
      return false;
    }
    if (unlinkat(folder_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
      return true;
    }
    const auto inside = OpenForRemoval(folder_fd, name);
    if (!inside.valid()) {
      return errno == ENOENT;
    }
    const auto entries = List(inside.get());
    if (!entries.ok()) {
      return false;
    }
    for (const auto& entry : *entries) {
      Remove(inside.get(), entry.name.c_str());
    }
    return unlinkat(folder_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
  }

 private:
  [[nodiscard]] bool OutOfPatience() const {
    return patience_ != std::chrono::milliseconds::max() &&
           std::chrono::steady_clock::now() - begun_ > patience_;
  }

  static FileDescriptor OpenForRemoval(int folder_fd, const char* name) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    FileDescriptor inside(openat(folder_fd, name, kFlags));
    struct stat stat {};
    if (!inside.valid()) {
      // A folder without permissions, such as the work folder of an overlay.
      if (errno == EACCES && fchmodat(folder_fd, name, 0700, 0) == 0) {
        inside = FileDescriptor(openat(folder_fd, name, kFlags));
      }
    } else if (fstat(inside.get(), &stat) == 0 && (stat.st_mode & 0700) != 0700) {
      fchmod(inside.get(), 0700);
    }
    return inside;
  }

  std::chrono::milliseconds patience_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace

StatusOr<TreeCopy> CopyTree(const std::string& from, const std::string& to) {
  const FileDescriptor in(open(from.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!in.valid()) {
    return FromErrno(errno, from);
  }
  const FileDescriptor out(open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out.valid()) {
    return FromErrno(errno, to);
  }
  Copier copier;
  if (auto status = copier.Folder(in.get(), out.get()); !status.ok()) {
    return engine::base::Annotate(status, "copying " + from);
  }
  return copier.result();
}

bool RemoveTree(const std::string& path, std::chrono::milliseconds patience) {
  return Remover(patience).Remove(AT_FDCWD, path.c_str());
}

}  // namespace executors::sandboxes
