// SPDX-License-Identifier: Apache-2.0
#include "agents/host/agent_folder.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace agents::host {
namespace {

namespace base = engine::base;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

base::Status MakePrivate(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return base::FromErrno(error.value(), "make folder " + path);
  }
  return chmod(path.c_str(), 0700) == 0 ? base::OkStatus() : base::FromErrno(errno, path);
}

}  // namespace

base::StatusOr<std::unique_ptr<AgentFolder>> AgentFolder::Open(const std::string& path) {
  if (!path.starts_with('/')) {
    return base::InvalidArgument("the agent's folder {} is not absolute", path);
  }
  RETURN_IF_ERROR(MakePrivate(path));
  const std::string lock_path = path + "/lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) {
    return base::FromErrno(errno, lock_path);
  }
  std::unique_ptr<AgentFolder> folder(new AgentFolder(path, lock));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return base::FromErrno(errno, "lock " + lock_path);
    }
    return base::AlreadyExists("another agent works in {}: process {}", path, ReadText(lock_path));
  }
  const std::string owner = std::to_string(getpid());
  if (ftruncate(lock, 0) != 0 ||
      pwrite(lock, owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size())) {
    return base::FromErrno(errno, "write " + lock_path);
  }
  for (const std::string& part : {folder->slots(), folder->identity()}) {
    RETURN_IF_ERROR(MakePrivate(part));
  }
  return folder;
}

AgentFolder::~AgentFolder() {
  close(lock_);
}

std::string BootId() {
  std::string id = ReadText("/proc/sys/kernel/random/boot_id");
  return id.substr(0, id.find('\n'));
}

}  // namespace agents::host
