// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/local_store.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "store/artifacts/descriptor.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;

constexpr char kTemporary[] = "tmp";

base::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) {
    return base::OkStatus();
  }
  return base::FromErrno(errno, "make folder " + path);
}

base::Status FlushFolder(const std::string& path) {
  const Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || fsync(folder.get()) != 0) {
    return base::FromErrno(errno, "flush folder " + path);
  }
  return base::OkStatus();
}

// `<pid>-<counter>`: a file whose writer is gone was never finished.
bool IsOfDeadWriter(std::string_view name) {
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

void RemoveDeadTemporaries(const std::string& folder) {
  DIR* const listing = opendir(folder.c_str());
  if (listing == nullptr) {
    return;
  }
  for (const dirent* entry = readdir(listing); entry != nullptr; entry = readdir(listing)) {
    if (IsOfDeadWriter(entry->d_name)) {
      unlinkat(dirfd(listing), entry->d_name, 0);
    }
  }
  closedir(listing);
}

base::Status WriteDurably(const std::string& path, std::string_view bytes) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    return base::FromErrno(errno, "create " + path);
  }
  RETURN_IF_ERROR(WriteAll(file.get(), bytes, path));
  return fsync(file.get()) == 0 ? base::OkStatus() : base::FromErrno(errno, "flush " + path);
}

base::Status Publish(const std::string& temporary, const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  RETURN_IF_ERROR(MakeFolder(folder));
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return base::FromErrno(errno, "rename to " + path);
  }
  return FlushFolder(folder);
}

}  // namespace

base::StatusOr<std::unique_ptr<LocalStore>> LocalStore::Open(const std::string& folder) {
  RETURN_IF_ERROR(MakeFolder(folder));
  RETURN_IF_ERROR(MakeFolder(folder + "/" + kTemporary));
  RemoveDeadTemporaries(folder + "/" + kTemporary);
  return std::unique_ptr<LocalStore>(new LocalStore(folder));
}

std::string LocalStore::PathOf(const base::Digest& digest) const {
  const std::string name = base::ToHex(digest);
  return folder_ + "/" + name.substr(0, 2) + "/" + name;
}

base::StatusOr<base::Digest> LocalStore::Put(std::string_view bytes) {
  if (bytes.size() > engine::ports::kChunkBytesMax) {
    return base::InvalidArgument("a chunk of {} bytes; the most are {}", bytes.size(),
                                 engine::ports::kChunkBytesMax);
  }
  const base::Digest digest = base::Sha256(bytes);
  const std::string path = PathOf(digest);
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 &&
      static_cast<std::uint64_t>(status.st_size) == bytes.size()) {
    return digest;
  }
  static std::atomic<std::uint64_t> counter = 0;
  const std::string temporary =
      fmt::format("{}/{}/{}-{}", folder_, kTemporary, getpid(), ++counter);
  base::Status status_of_put = WriteDurably(temporary, bytes);
  if (status_of_put.ok()) {
    status_of_put = Publish(temporary, path);
  }
  if (!status_of_put.ok()) {
    unlink(temporary.c_str());
    return status_of_put;
  }
  return digest;
}

base::StatusOr<std::string> LocalStore::Get(const base::Digest& digest) {
  const std::string path = PathOf(digest);
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return errno == ENOENT ? base::NotFound("there is no chunk {}", base::ToHex(digest))
                           : base::FromErrno(errno, "open " + path);
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    return base::FromErrno(errno, "look at " + path);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::string bytes;
  if (size <= engine::ports::kChunkBytesMax) {
    bytes.resize(size);
    ASSIGN_OR_RETURN(const std::size_t got, ReadAt(file.get(), 0, bytes, path));
    bytes.resize(got);
  }
  if (bytes.size() != size || base::Sha256(bytes) != digest) {
    return base::DataLoss("chunk {} is damaged: {} bytes do not match their name",
                          base::ToHex(digest), size);
  }
  return bytes;
}

base::StatusOr<bool> LocalStore::Has(const base::Digest& digest) {
  const std::string path = PathOf(digest);
  if (access(path.c_str(), F_OK) == 0) {
    return true;
  }
  return errno == ENOENT ? base::StatusOr<bool>(false) : base::FromErrno(errno, "look at " + path);
}

}  // namespace store::artifacts
