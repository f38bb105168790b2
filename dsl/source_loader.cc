// SPDX-License-Identifier: Apache-2.0
#include "dsl/source_loader.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dsl {
namespace {

using engine::base::Status;
using engine::base::StatusOr;

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Folders and devices are refused; a pipe is read, as in `run <(generate)`.
Status CheckKind(const struct stat& facts) {
  if (S_ISDIR(facts.st_mode)) {
    return engine::base::FailedPrecondition("this is a folder, not a file");
  }
  if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) {
    return engine::base::FailedPrecondition("this is not an ordinary file");
  }
  return engine::base::OkStatus();
}

Status TooLarge(std::uint64_t bytes_max) {
  return engine::base::ResourceExhausted("the file is larger than {} bytes, the limit", bytes_max);
}

StatusOr<std::string> ReadUpTo(int fd, std::uint64_t bytes_max) {
  std::string text;
  for (;;) {
    constexpr std::size_t kPiece = 256U << 10;
    const std::size_t before = text.size();
    text.resize(before + kPiece);
    const ssize_t got = ::read(fd, text.data() + before, kPiece);
    if (got < 0 && errno == EINTR) {
      text.resize(before);
      continue;
    }
    if (got < 0) {
      return engine::base::FromErrno(errno, "the file cannot be read");
    }
    text.resize(before + static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      return TooLarge(bytes_max);
    }
    if (got == 0) {
      return text;
    }
  }
}

}  // namespace

std::string ToText(const RepositoryFile& file) {
  return fmt::format("{}@{}:{}", file.repo, file.ref, file.path);
}

StatusOr<std::string> DiskSourceLoader::LoadFrom(const RepositoryFile& /*file*/) {
  return engine::base::Unimplemented("files of other repositories cannot be read here");
}

StatusOr<std::string> DiskSourceLoader::Load(const std::string& path) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.fd() < 0) {
    return errno == ENOENT ? engine::base::NotFound("there is no such file")
                           : engine::base::FromErrno(errno, "the file cannot be opened");
  }
  struct stat facts {};
  if (::fstat(file.fd(), &facts) != 0) {
    return engine::base::FromErrno(errno, "the file cannot be read");
  }
  RETURN_IF_ERROR(CheckKind(facts));
  if (S_ISREG(facts.st_mode) && static_cast<std::uint64_t>(facts.st_size) > bytes_max_) {
    return TooLarge(bytes_max_);
  }
  return ReadUpTo(file.fd(), bytes_max_);
}

StatusOr<std::string> MemorySourceLoader::Load(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) {
    return engine::base::NotFound("there is no such file");
  }
  return found->second;
}

}  // namespace dsl
