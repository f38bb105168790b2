// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/cgroup.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace executors::sandboxes {
namespace {

using engine::base::FromErrno;
using engine::base::NotFound;
using engine::base::Status;
using engine::base::StatusOr;

/// Undoes the octal escapes of mountinfo (`\040` for a space).
std::string Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                      (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

struct CgroupMount {
  std::string root;   ///< which cgroup is mounted there
  std::string point;  ///< where
};

std::optional<CgroupMount> FindCgroupMount() {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    if (line.find(" - cgroup2 ") == std::string::npos) {
      continue;
    }
    std::istringstream fields(line);
    std::string id;
    std::string parent;
    std::string device;
    CgroupMount mount;
    fields >> id >> parent >> device >> mount.root >> mount.point;
    return CgroupMount{.root = Unescape(mount.root), .point = Unescape(mount.point)};
  }
  return std::nullopt;
}

/// The path behind `0::` in `/proc/self/cgroup`.
std::optional<std::string> OwnCgroupPath() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("0::")) {
      return line.substr(3);
    }
  }
  return std::nullopt;
}

bool WriteText(int folder_fd, const char* name, std::string_view text) {
  const FileDescriptor file(openat(folder_fd, name, O_WRONLY | O_CLOEXEC));
  return file.valid() &&
         write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string ReadText(int folder_fd, const char* name) {
  const FileDescriptor file(openat(folder_fd, name, O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  while (file.valid()) {
    const auto bytes = read(file.get(), buffer, sizeof buffer);
    if (bytes <= 0) {
      break;
    }
    text.append(buffer, static_cast<std::size_t>(bytes));
  }
  return text;
}

/// A cgroup of that name that nobody was ever killed in.
Status MakeFresh(const std::string& folder) {
  if (mkdir(folder.c_str(), 0755) == 0) {
    return engine::base::OkStatus();
  }
  if (errno != EEXIST) {
    return FromErrno(errno, folder);
  }
  KillCgroup(folder);
  return RemoveCgroup(folder) && mkdir(folder.c_str(), 0755) == 0 ? engine::base::OkStatus()
                                                                  : FromErrno(errno, folder);
}

FileDescriptor OpenFolder(const std::string& folder) {
  return FileDescriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::vector<std::string> Below(const std::string& folder) {
  std::vector<std::string> found;
  DIR* listing = opendir(folder.c_str());
  if (listing == nullptr) {
    return found;
  }
  while (const dirent* entry = readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") {
      found.push_back(folder + "/" + entry->d_name);
    }
  }
  closedir(listing);
  return found;
}

/// Being born into a cgroup needs the right to write to the common ancestor's `cgroup.procs`.
Status CheckDelegation(const std::string& own, int fd) {
  const auto procs = own + "/cgroup.procs";
  const FileDescriptor ancestor(open(procs.c_str(), O_WRONLY | O_CLOEXEC));
  if (!ancestor.valid()) {
    return FromErrno(errno, procs);
  }
  if (faccessat(fd, "cgroup.kill", W_OK, 0) != 0) {
    return FromErrno(errno, "cgroup.kill (needs Linux 5.14)");
  }
  return engine::base::OkStatus();
}

}  // namespace

StatusOr<std::string> OwnCgroupFolder() {
  const auto mount = FindCgroupMount();
  const auto own = OwnCgroupPath();
  if (!mount || !own) {
    return NotFound("no cgroup v2 is mounted here");
  }
  std::string_view path = *own;
  if (mount->root != "/") {
    if (!path.starts_with(mount->root)) {
      return NotFound("the cgroup {} is not visible here", *own);
    }
    path.remove_prefix(mount->root.size());
  }
  return path == "/" ? mount->point : mount->point + std::string(path);
}

StatusOr<StepCgroup> StepCgroup::Make(const std::string& name) {
  ASSIGN_OR_RETURN(const std::string own, OwnCgroupFolder());
  const auto folder = own + "/" + name;
  RETURN_IF_ERROR(MakeFresh(folder));
  auto fd = OpenFolder(folder);
  if (!fd.valid()) {
    return FromErrno(errno, folder);
  }
  if (auto status = CheckDelegation(own, fd.get()); !status.ok()) {
    rmdir(folder.c_str());
    return status;
  }
  return StepCgroup(folder, std::move(fd));
}

void StepCgroup::Kill() {
  killed_ = true;
  WriteText(fd_.get(), "cgroup.kill", "1");
}

Status StepCgroup::Renew() {
  if (!std::exchange(killed_, false)) {
    return engine::base::OkStatus();
  }
  Remove();
  RETURN_IF_ERROR(MakeFresh(folder_));
  fd_ = OpenFolder(folder_);
  return fd_.valid() ? engine::base::OkStatus() : FromErrno(errno, folder_);
}

std::uint64_t StepCgroup::OomKills() const {
  std::istringstream events(ReadText(fd_.get(), "memory.events"));
  std::string name;
  std::uint64_t count = 0;
  while (events >> name >> count) {
    if (name == "oom_kill") {
      return count;
    }
  }
  return 0;
}

void StepCgroup::Remove() {
  fd_.Close();
  RemoveCgroup(folder_);
}

void KillCgroup(const std::string& folder) {
  const auto fd = OpenFolder(folder);
  if (fd.valid()) {
    WriteText(fd.get(), "cgroup.kill", "1");
  }
}

std::vector<int> CgroupProcesses(const std::string& folder) {
  std::vector<int> pids;
  const auto fd = OpenFolder(folder);
  if (!fd.valid()) {
    return pids;
  }
  std::istringstream lines(ReadText(fd.get(), "cgroup.procs"));
  int pid = 0;
  while (lines >> pid) {
    pids.push_back(pid);
  }
  for (const auto& child : Below(folder)) {
    const auto more = CgroupProcesses(child);
    pids.insert(pids.end(), more.begin(), more.end());
  }
  return pids;
}

bool RemoveCgroup(const std::string& folder) {
  for (const auto& child : Below(folder)) {
    RemoveCgroup(child);
  }
  return rmdir(folder.c_str()) == 0 || errno == ENOENT;
}

}  // namespace executors::sandboxes
