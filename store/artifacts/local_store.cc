// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/local_store.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <signal.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "store/artifacts/descriptor.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;

constexpr char kTemporary[] = "tmp";
constexpr char kLock[] = "lock";

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

/// Held shared by who finds or publishes chunks, exclusively by who removes some. A descriptor of
/// its own each time: a lock belongs to the opened file, which threads would share.
class FolderLock {
 public:
  FolderLock(const std::string& folder, int how)
      : file_(open((folder + "/" + kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    while (file_.is_open() && flock(file_.get(), how) != 0 && errno == EINTR) {
    }
  }

 private:
  Descriptor file_;  ///< closing it unlocks
};

base::Instant ModifiedAt(const struct stat& status) {
  return base::InstantFromMicros(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000);
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  if (DIR* const listing = opendir(folder.c_str()); listing != nullptr) {
    for (const dirent* entry = readdir(listing); entry != nullptr; entry = readdir(listing)) {
      names.emplace_back(entry->d_name);
    }
    closedir(listing);
  }
  return names;
}

bool IsHex(std::string_view name, std::size_t length) {
  return name.size() == length &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
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
  if (Rely(path, bytes.size())) {
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

bool LocalStore::Rely(const std::string& path, std::uint64_t size) const {
  if (access(path.c_str(), F_OK) != 0) {
    return false;
  }
  const FolderLock lock(folder_, LOCK_SH);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) != size) {
    return false;
  }
  utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return true;
}

base::Status LocalStore::Publish(const std::string& temporary, const std::string& path) const {
  const std::string folder = path.substr(0, path.rfind('/'));
  RETURN_IF_ERROR(MakeFolder(folder));
  {
    const FolderLock lock(folder_, LOCK_SH);
    if (rename(temporary.c_str(), path.c_str()) != 0) {
      return base::FromErrno(errno, "rename to " + path);
    }
  }
  return FlushFolder(folder);
}

void LocalStore::RemoveDamaged(int file, const std::string& path) const {
  const FolderLock lock(folder_, LOCK_EX);
  struct stat read {};
  struct stat there {};
  // Somebody may have stored it anew meanwhile.
  if (fstat(file, &read) == 0 && stat(path.c_str(), &there) == 0 && read.st_ino == there.st_ino) {
    unlink(path.c_str());
  }
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
    RemoveDamaged(file.get(), path);
    return base::DataLoss("chunk {} is damaged: {} bytes do not match their name",
                          base::ToHex(digest), size);
  }
  return bytes;
}

base::StatusOr<bool> LocalStore::Has(const base::Digest& digest) {
  const std::string path = PathOf(digest);
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    return Rely(path, static_cast<std::uint64_t>(status.st_size));
  }
  return errno == ENOENT ? base::StatusOr<bool>(false) : base::FromErrno(errno, "look at " + path);
}

base::StatusOr<SweptChunks> LocalStore::Sweep(const std::set<base::Digest>& keep,
                                              base::Instant older_than) {
  SweptChunks swept;
  for (const std::string& name : NamesIn(folder_)) {
    if (IsHex(name, 2)) {
      RETURN_IF_ERROR(SweepFolder(name, keep, older_than, swept));
    }
  }
  return swept;
}

base::Status LocalStore::SweepFolder(const std::string& name, const std::set<base::Digest>& keep,
                                     base::Instant older_than, SweptChunks& swept) const {
  // The lock is held for a few hundredths of the store at a time.
  const FolderLock lock(folder_, LOCK_EX);
  const std::string folder = folder_ + "/" + name;
  for (const std::string& chunk : NamesIn(folder)) {
    const std::optional<base::Digest> digest = base::DigestFromHex(chunk);
    const std::string path = folder + "/" + chunk;
    struct stat status {};
    if (!digest.has_value() || stat(path.c_str(), &status) != 0) {
      continue;
    }
    if (keep.contains(*digest) || ModifiedAt(status) >= older_than) {
      ++swept.kept;
      continue;
    }
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return base::FromErrno(errno, "remove " + path);
    }
    ++swept.removed;
    swept.removed_bytes += static_cast<std::uint64_t>(status.st_size);
  }
  return base::OkStatus();
}

}  // namespace store::artifacts
