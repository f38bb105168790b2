// SPDX-License-Identifier: Apache-2.0
#include "store/git/layer_names.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <signal.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace store::git {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;

constexpr std::string_view kUse = ".use";
constexpr std::string_view kTemporary = "tmp-";

std::string UsePath(const std::string& folder, const std::string& name) {
  return folder + "/" + name + std::string(kUse);
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Whether `fd` is still what `path` names; a remover takes the name away while it holds the lock.
bool IsNamed(int fd, const std::string& path) {
  struct stat open_file {};
  struct stat named {};
  return fstat(fd, &open_file) == 0 && stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

int Lock(int fd, int how) {
  int result = 0;
  do {
    result = flock(fd, how);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

std::string ToText(const LayerOrigin& origin) {
  return fmt::format("tree {}\nboot {}\nmtime {}\n{}", origin.tree, origin.boot, origin.mtime,
                     origin.is_filled ? "filled yes\n" : "");
}

std::optional<LayerOrigin> LayerOriginFromText(const std::string& text) {
  LayerOrigin origin;
  std::string_view rest = text;
  const auto take = [&](std::string_view key) -> std::string {
    const std::size_t end = rest.find('\n');
    if (!rest.starts_with(key) || end == std::string_view::npos) {
      return {};
    }
    const std::string value(rest.substr(key.size(), end - key.size()));
    rest.remove_prefix(end + 1);
    return value;
  };
  origin.tree = take("tree ");
  origin.boot = take("boot ");
  const std::string mtime = take("mtime ");
  origin.is_filled = take("filled ") == "yes";
  const auto [end, error] =
      std::from_chars(mtime.data(), mtime.data() + mtime.size(), origin.mtime);
  if (origin.tree.empty() || origin.boot.empty() || error != std::errc() || !rest.empty()) {
    return std::nullopt;
  }
  return origin;
}

std::vector<KnownLayer> ListLayers(const std::string& trees_folder) {
  std::vector<KnownLayer> layers;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(trees_folder, error)) {
    const std::string file = entry.path().filename();
    struct stat status {};
    if (!file.ends_with(kUse) || stat(entry.path().c_str(), &status) != 0) {
      continue;
    }
    layers.push_back(
        {.name = file.substr(0, file.size() - kUse.size()),
         .used_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec,
         .origin = LayerOriginFromText(ReadText(entry.path())).value_or(LayerOrigin{})});
  }
  std::ranges::sort(layers, [](const KnownLayer& a, const KnownLayer& b) {
    return std::pair(b.used_ns, a.name) < std::pair(a.used_ns, b.name);
  });
  return layers;
}

std::vector<std::string> LayersToRemove(const std::vector<KnownLayer>& newest_first,
                                        std::uint32_t kept, const std::string& boot) {
  std::vector<std::string> remove;
  std::uint32_t good = 0;
  for (const KnownLayer& layer : newest_first) {
    if (layer.origin.boot != boot || good >= kept) {
      remove.push_back(layer.name);
    } else {
      ++good;
    }
  }
  return remove;
}

LayerLock::LayerLock(LayerLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

LayerLock& LayerLock::operator=(LayerLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

LayerLock::~LayerLock() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

namespace {

// Not by a null pointer: the kernel would take the time of its last tick, and two uses within one
// tick would have no order.
void TouchNow(int file) {
  timespec now[2];
  clock_gettime(CLOCK_REALTIME, &now[0]);
  now[1] = now[0];
  futimens(file, now);
}

}  // namespace

base::StatusOr<LayerLock> LayerLock::Use(const std::string& trees_folder, const std::string& name) {
  ASSIGN_OR_RETURN(LayerLock lock, Hold(trees_folder, name));
  TouchNow(lock.fd_);
  return lock;
}

base::StatusOr<LayerLock> LayerLock::Hold(const std::string& trees_folder,
                                          const std::string& name) {
  const std::string path = UsePath(trees_folder, name);
  while (true) {
    LayerLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.fd_ < 0 || Lock(lock.fd_, LOCK_SH) != 0) {
      return base::FromErrno(errno, "lock " + path);
    }
    if (IsNamed(lock.fd_, path)) {
      return lock;
    }
  }
}

std::optional<LayerLock> LayerLock::ForRemoval(const std::string& trees_folder,
                                               const std::string& name) {
  const std::string path = UsePath(trees_folder, name);
  LayerLock lock(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (lock.fd_ < 0 || Lock(lock.fd_, LOCK_EX | LOCK_NB) != 0 || !IsNamed(lock.fd_, path)) {
    return std::nullopt;
  }
  return lock;
}

base::Status LayerLock::Write(const LayerOrigin& origin) {
  const std::string text = ToText(origin);
  const ssize_t wrote = pwrite(fd_, text.data(), text.size(), 0);
  return wrote == static_cast<ssize_t>(text.size())
             ? base::OkStatus()
             : base::FromErrno(wrote < 0 ? errno : ENOSPC, "note what a tree was made of");
}

bool RemoveLayer(const std::string& trees_folder, const std::string& name) {
  const std::optional<LayerLock> lock = LayerLock::ForRemoval(trees_folder, name);
  if (!lock.has_value()) {
    return false;
  }
  // Away from its name first: half a tree must never stand there.
  const std::string aside = trees_folder + "/" + TemporaryName();
  const bool moved = rename((trees_folder + "/" + name).c_str(), aside.c_str()) == 0;
  unlink(UsePath(trees_folder, name).c_str());
  std::error_code ignored;
  if (moved) {
    fs::remove_all(aside, ignored);
  }
  return moved;
}

void RemoveAbandoned(const std::string& trees_folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(trees_folder, error)) {
    const std::string file = entry.path().filename();
    int pid = 0;
    if (file.starts_with(kTemporary)) {
      std::from_chars(file.data() + kTemporary.size(), file.data() + file.size(), pid);
    }
    if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  }
}

std::string TemporaryName() {
  static std::atomic<std::uint64_t> counter = 0;
  return fmt::format("{}{}-{}", kTemporary, getpid(), ++counter);
}

}  // namespace store::git
