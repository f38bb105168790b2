// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/descriptor.h"

#include <cerrno>
#include <sys/types.h>
#include <unistd.h>

namespace store::artifacts {
namespace {

namespace base = engine::base;

base::Status Failed(const char* what, std::string_view path) {
  return base::FromErrno(errno, fmt::format("{} {}", what, path));
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

base::Status WriteAll(int fd, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno != EINTR) {
      return Failed("write", path);
    }
    bytes.remove_prefix(wrote < 0 ? 0 : static_cast<std::size_t>(wrote));
  }
  return base::OkStatus();
}

base::Status WriteAt(int fd, std::uint64_t offset, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t wrote = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno != EINTR) {
      return Failed("write", path);
    }
    const std::size_t done = wrote < 0 ? 0 : static_cast<std::size_t>(wrote);
    bytes.remove_prefix(done);
    offset += done;
  }
  return base::OkStatus();
}

base::StatusOr<std::size_t> ReadAt(int fd, std::uint64_t offset, std::span<char> room,
                                   std::string_view path) {
  std::size_t done = 0;
  while (done < room.size()) {
    const ssize_t got =
        pread(fd, room.data() + done, room.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) {
      break;
    }
    if (got < 0 && errno != EINTR) {
      return Failed("read", path);
    }
    done += got < 0 ? 0 : static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace store::artifacts
