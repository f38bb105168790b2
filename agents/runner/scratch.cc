// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/scratch.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace agents::runner {
namespace {

namespace base = engine::base;

base::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) {
    return base::OkStatus();
  }
  return base::FromErrno(errno, "make folder " + path);
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(wrote < 0 ? 0 : static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

Scratch::~Scratch() {
  if (tmp_ != nullptr) {
    closedir(tmp_);
  }
}

base::Status Scratch::Open(const std::string& folder) {
  folder_ = folder;
  RETURN_IF_ERROR(MakeFolder(folder_));
  RETURN_IF_ERROR(MakeFolder(home_folder()));
  return OpenTmp();
}

base::Status Scratch::OpenTmp() {
  RETURN_IF_ERROR(MakeFolder(tmp_folder()));
  if (tmp_ != nullptr) {
    closedir(tmp_);
  }
  tmp_ = opendir(tmp_folder().c_str());
  return tmp_ != nullptr ? base::OkStatus() : base::FromErrno(errno, "open " + tmp_folder());
}

base::Status Scratch::WriteScript(const std::string& script) {
  has_script_ = true;
  return runner::WriteScript(script_path(), script);
}

base::Status WriteScript(const std::string& path, const std::string& script) {
  unlink(path.c_str());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
  if (fd < 0) {
    return base::FromErrno(errno, "create " + path);
  }
  const bool newline = script.empty() || script.back() != '\n';
  const bool written = WriteAll(fd, script) && (!newline || WriteAll(fd, "\n"));
  const int error = errno;
  close(fd);
  return written ? base::OkStatus() : base::FromErrno(error, "write " + path);
}

bool Scratch::IsTmpEmpty() {
  struct stat status {};
  if (fstat(dirfd(tmp_), &status) != 0 || status.st_nlink == 0) {
    return false;  // the folder itself was removed or replaced
  }
  rewinddir(tmp_);
  for (const dirent* entry = readdir(tmp_); entry != nullptr; entry = readdir(tmp_)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      return false;
    }
  }
  return true;
}

base::StatusOr<std::optional<std::string>> Scratch::Clear() {
  if (std::exchange(has_script_, false)) {
    unlink(script_path().c_str());
  }
  if (IsTmpEmpty()) {
    return std::optional<std::string>();
  }
  std::string aside;
  do {
    aside = folder_ + "/old-" + std::to_string(++moved_);
  } while (access(aside.c_str(), F_OK) == 0);
  const bool moved = rename(tmp_folder().c_str(), aside.c_str()) == 0;
  if (!moved && errno != ENOENT) {
    return base::FromErrno(errno, "move " + tmp_folder());
  }
  RETURN_IF_ERROR(OpenTmp());
  return moved ? std::optional<std::string>(std::move(aside)) : std::nullopt;
}

void RemoveTree(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace agents::runner
