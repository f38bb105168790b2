// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/mount_namespace.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sched.h>
#include <span>
#include <sstream>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "executors/sandboxes/tree_files.h"

namespace executors::sandboxes {
namespace {

using engine::base::FromErrno;
using engine::base::OkStatus;
using engine::base::Status;
using engine::base::StatusOr;

/// Where entering failed; travels as a child's exit code, so small numbers.
enum class Step : int { kDone = 0, kUnshare = 1, kMaps = 2, kPropagation = 3, kOverlay = 4 };

const char* Describe(Step step) {
  switch (step) {
    case Step::kDone:
      break;
    case Step::kUnshare:
      return "unshare";
    case Step::kMaps:
      return "user namespace map";
    case Step::kPropagation:
      return "mount propagation";
    case Step::kOverlay:
      return "overlay in a user namespace";
  }
  return "";
}

bool WriteFile(const char* path, const std::string& text) {
  const FileDescriptor file(open(path, O_WRONLY | O_CLOEXEC));
  return file.valid() &&
         write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// `errno` says why when it is not `kDone`.
Step Unshare(NamespaceKind kind) {
  const auto user = geteuid();
  const auto group = getegid();
  const bool privileged = kind == NamespaceKind::kPrivileged;
  if (unshare(privileged ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return Step::kUnshare;
  }
  if (!privileged && (!WriteFile("/proc/self/setgroups", "deny") ||
                      !WriteFile("/proc/self/uid_map", fmt::format("{0} {0} 1", user)) ||
                      !WriteFile("/proc/self/gid_map", fmt::format("{0} {0} 1", group)))) {
    return Step::kMaps;
  }
  // Slave, not private: an unmount on the host must not leave the device busy here.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return Step::kPropagation;
  }
  return Step::kDone;
}

/// Tries all of it in a child: a half-entered user namespace cannot be left again.
Status ProbeUserNamespace(const std::string& scratch) {
  const std::array<std::string, 4> folders{scratch + "/lower", scratch + "/upper",
                                           scratch + "/work", scratch + "/point"};
  mkdir(scratch.c_str(), 0700);
  for (const auto& folder : folders) {
    mkdir(folder.c_str(), 0700);
  }
  // The child tells through shared memory of the simplest kind: its exit code, then a pipe.
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return FromErrno(errno, "pipe");
  }
  const FileDescriptor in(ends[0]);
  FileDescriptor out(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    auto step = Unshare(NamespaceKind::kUser);
    int error = errno;
    if (step == Step::kDone) {
      OverlayMounter mounter(NamespaceKind::kUser);
      const auto status =
          mounter.Mount({.lower = folders[0], .upper = folders[1], .work = folders[2]}, folders[3]);
      error = errno;
      step = status.ok() ? Step::kDone : Step::kOverlay;
    }
    const auto told = write(out.get(), &error, sizeof error);
    _exit(told == sizeof error ? static_cast<int>(step) : static_cast<int>(Step::kUnshare));
  }
  out.Close();
  int code = 0;
  int error = child < 0 ? errno : ECHILD;
  if (child > 0) {
    while (waitpid(child, &code, 0) < 0 && errno == EINTR) {
    }
    if (read(in.get(), &error, sizeof error) != sizeof error) {
      error = ECHILD;
    }
  }
  RemoveTree(scratch);
  if (child > 0 && WIFEXITED(code) && WEXITSTATUS(code) == 0) {
    return OkStatus();
  }
  return FromErrno(error, child > 0 && WIFEXITED(code)
                              ? Describe(static_cast<Step>(WEXITSTATUS(code)))
                              : "probing a user namespace");
}

/// A path that needs no escaping in mount options, whatever the folder is called.
std::string FdPath(const FileDescriptor& fd) {
  return fmt::format("/proc/self/fd/{}", fd.get());
}

std::span<const std::string_view> OptionChoices(NamespaceKind kind) {
  // `redirect_dir` lets a step rename folders of the tree; without it that is EXDEV, which `mv`
  // copes with. `volatile` spares the syncs of a layer nobody needs after a crash.
  static constexpr std::array<std::string_view, 3> kPrivileged{",volatile,redirect_dir=on",
                                                               ",volatile", ""};
  static constexpr std::array<std::string_view, 2> kUser{",userxattr,volatile", ",userxattr"};
  if (kind == NamespaceKind::kPrivileged) {
    return kPrivileged;
  }
  return kUser;
}

struct MountEntry {
  int id = 0;
  std::string point;
  bool from_host = false;  ///< came in from the namespace that this one follows
};

std::vector<MountEntry> ReadMounts() {
  std::vector<MountEntry> mounts;
  std::ifstream table("/proc/self/mountinfo");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    MountEntry entry;
    std::string skipped;
    std::string point;
    fields >> entry.id >> skipped >> skipped >> skipped >> point;
    entry.from_host = line.find(" master:") != std::string::npos;
    for (std::size_t i = 0; i < point.size(); ++i) {
      if (point[i] == '\\' && i + 3 < point.size()) {
        entry.point.push_back(static_cast<char>((point[i + 1] - '0') * 64 +
                                                (point[i + 2] - '0') * 8 + (point[i + 3] - '0')));
        i += 3;
      } else {
        entry.point.push_back(point[i]);
      }
    }
    mounts.push_back(std::move(entry));
  }
  return mounts;
}

bool TableChanged(int table_fd) {
  pollfd poll_fd{.fd = table_fd, .events = POLLPRI, .revents = 0};
  return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLERR | POLLPRI)) != 0;
}

}  // namespace

StatusOr<NamespaceKind> EnterMountNamespace(const std::string& scratch_folder) {
  const auto kind = geteuid() == 0 ? NamespaceKind::kPrivileged : NamespaceKind::kUser;
  if (kind == NamespaceKind::kUser) {
    RETURN_IF_ERROR(ProbeUserNamespace(scratch_folder));
  }
  const auto step = Unshare(kind);
  if (step != Step::kDone) {
    return FromErrno(errno, Describe(step));
  }
  return kind;
}

Status OverlayMounter::Mount(const OverlayFolders& folders, const std::string& point) {
  const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const FileDescriptor lower(open(folders.lower.c_str(), flags));
  const FileDescriptor upper(open(folders.upper.c_str(), flags));
  const FileDescriptor work(open(folders.work.c_str(), flags));
  if (!lower.valid() || !upper.valid() || !work.valid()) {
    return FromErrno(errno, !lower.valid() ? folders.lower : folders.upper);
  }
  const auto choices = OptionChoices(kind_);
  for (auto choice = first_choice_; choice < choices.size(); ++choice) {
    const auto options = fmt::format("lowerdir={},upperdir={},workdir={}{}", FdPath(lower),
                                     FdPath(upper), FdPath(work), choices[choice]);
    if (mount("dayfly", point.c_str(), "overlay", 0, options.c_str()) == 0) {
      first_choice_ = choice;
      return OkStatus();
    }
    if (errno != EINVAL) {
      break;
    }
  }
  const int error = errno;
  auto status = FromErrno(error, "overlay mount");
  errno = error;
  return status;
}

void MountWatch::Accept(const std::string& own_point) {
  if (!table_.valid()) {
    table_ = FileDescriptor(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  }
  TableChanged(table_.get());
  own_point_ = own_point;
  own_id_ = 0;
  accepted_.clear();
  for (const auto& entry : ReadMounts()) {
    accepted_.insert(entry.id);
    own_id_ = entry.point == own_point ? entry.id : own_id_;
  }
}

bool MountWatch::Restore() {
  if (!TableChanged(table_.get())) {
    return false;
  }
  const auto mounts = ReadMounts();
  bool changed = false;
  bool own_is_there = own_id_ == 0;
  // Later ones lie on top of earlier ones.
  for (auto it = mounts.rbegin(); it != mounts.rend(); ++it) {
    own_is_there = own_is_there || it->id == own_id_;
    if (accepted_.count(it->id) == 0 && !it->from_host) {
      umount2(it->point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
      changed = true;
    }
  }
  // Others may be missing: the host removed what they were mounted on.
  if (changed || !own_is_there) {
    return true;
  }
  Accept(own_point_);
  return false;
}

}  // namespace executors::sandboxes
