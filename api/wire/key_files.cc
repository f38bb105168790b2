// SPDX-License-Identifier: Apache-2.0
#include "api/wire/key_files.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace api::wire {

namespace base = engine::base;

namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

base::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      return base::FromErrno(errno, path);
    }
    bytes.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
  }
  return ::fsync(fd) == 0 ? base::OkStatus() : base::FromErrno(errno, path);
}

}  // namespace

base::Status SavePrivateFile(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());  // of a writer that died
  const File file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.fd() < 0) {
    return base::FromErrno(errno, fresh);
  }
  RETURN_IF_ERROR(WriteAll(file.fd(), bytes, fresh));
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return base::FromErrno(errno, path);
  }
  return base::OkStatus();
}

base::StatusOr<std::string> LoadFile(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) {
    return base::FromErrno(errno, path);
  }
  std::string bytes;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t count = ::read(file.fd(), block.data(), block.size());
    if (count < 0 && errno != EINTR) {
      return base::FromErrno(errno, path);
    }
    if (count == 0) {
      return bytes;
    }
    bytes.append(block.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
    if (bytes.size() > kFileBytesMax) {
      return base::InvalidArgument("{}: is no key and no certificate", path);
    }
  }
}

base::Status SaveKeyPair(const std::string& folder, std::string_view name, const KeyPair& pair) {
  RETURN_IF_ERROR(SavePrivateFile(fmt::format("{}/{}.key", folder, name), pair.key));
  return SavePrivateFile(fmt::format("{}/{}.pem", folder, name), pair.certificate);
}

base::StatusOr<KeyPair> LoadKeyPair(const std::string& folder, std::string_view name) {
  const std::string key_path = fmt::format("{}/{}.key", folder, name);
  struct stat facts {};
  if (::stat(key_path.c_str(), &facts) != 0) {
    return base::FromErrno(errno, key_path);
  }
  if ((facts.st_mode & 077) != 0) {
    return base::FailedPrecondition("{}: others may read this key; chmod 600 it, or make a new one",
                                    key_path);
  }
  KeyPair pair;
  ASSIGN_OR_RETURN(pair.key, LoadFile(key_path));
  ASSIGN_OR_RETURN(pair.certificate, LoadFile(fmt::format("{}/{}.pem", folder, name)));
  return pair;
}

}  // namespace api::wire
