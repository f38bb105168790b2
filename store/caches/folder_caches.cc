// SPDX-License-Identifier: Apache-2.0
#include "store/caches/folder_caches.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <string_view>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "engine/base/digest.h"
#include "engine/base/field_archive.h"

namespace store::caches {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr std::uint8_t kVersion = 1;
/// An entry is a key, a scope and a few numbers.
constexpr std::size_t kEntryBytesMax = 64 << 10;
constexpr std::size_t kDigestHex = 64;
constexpr char kTemporary[] = "tmp";

base::Status MakeFolder(const std::string& path) {
  return mkdir(path.c_str(), 0700) == 0 || errno == EEXIST
             ? base::OkStatus()
             : base::FromErrno(errno, "make folder " + path);
}

// ---- an entry's bytes

template <typename Archive, typename T>
void Fields(Archive& archive, T& cache) {
  archive(cache.scope);
  archive(cache.content.name);
  for (auto& byte : cache.content.manifest.bytes) {
    archive(byte);
  }
  archive(cache.content.bytes);
  archive(cache.content.files);
}

std::string Encode(const SavedCache& cache) {
  std::string bytes;
  base::FieldWriter writer(bytes);
  writer(kVersion);
  Fields(writer, cache);
  writer(base::ToMicros(cache.saved_at));
  return bytes;
}

std::optional<SavedCache> Decode(std::string_view bytes) {
  base::FieldReader reader(bytes);
  std::uint8_t version = 0;
  reader(version);
  SavedCache cache;
  Fields(reader, cache);
  std::int64_t saved_at = 0;
  reader(saved_at);
  if (version != kVersion || !reader.AtEnd()) {
    return std::nullopt;
  }
  cache.saved_at = base::InstantFromMicros(saved_at);
  return cache;
}

// ---- files

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* const listing = opendir(folder.c_str());
  if (listing == nullptr) {
    return names;
  }
  for (const dirent* entry = readdir(listing); entry != nullptr; entry = readdir(listing)) {
    names.emplace_back(entry->d_name);
  }
  closedir(listing);
  std::ranges::sort(names);
  return names;
}

bool IsDigestName(std::string_view name) {
  return name.size() == kDigestHex &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

base::Status WriteDurably(const std::string& path, std::string_view bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    return base::FromErrno(errno, "create " + path);
  }
  const ssize_t written = write(file, bytes.data(), bytes.size());
  const bool is_whole = written == static_cast<ssize_t>(bytes.size()) && fsync(file) == 0;
  const int error = errno;
  close(file);
  return is_whole ? base::OkStatus() : base::FromErrno(error, "write " + path);
}

base::Status FlushFolder(const std::string& path) {
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_flushed = folder >= 0 && fsync(folder) == 0;
  const int error = errno;
  if (folder >= 0) {
    close(folder);
  }
  return is_flushed ? base::OkStatus() : base::FromErrno(error, "flush folder " + path);
}

void SetUsed(const std::string& path, base::Instant at) {
  const std::int64_t micros = base::ToMicros(at);
  const timespec time{.tv_sec = micros / 1'000'000, .tv_nsec = micros % 1'000'000 * 1000};
  const timespec times[2] = {time, time};
  utimensat(AT_FDCWD, path.c_str(), times, 0);
}

bool IsOfDeadSaver(const std::string& name) {
  const int pid = std::atoi(name.c_str());
  return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

bool IsNewer(const SavedCache& a, const SavedCache& b) {
  return std::tie(a.saved_at, a.content.name) > std::tie(b.saved_at, b.content.name);
}

}  // namespace

base::StatusOr<std::unique_ptr<FolderCaches>> FolderCaches::Open(const std::string& folder,
                                                                 FolderCachesOptions options) {
  RETURN_IF_ERROR(MakeFolder(folder));
  RETURN_IF_ERROR(MakeFolder(folder + "/" + kTemporary));
  return std::unique_ptr<FolderCaches>(new FolderCaches(folder, std::move(options)));
}

std::string FolderCaches::PathOf(const std::string& scope, const std::string& key) const {
  return folder_ + "/" + base::ToHex(base::Sha256(scope)) + "/" + base::ToHex(base::Sha256(key));
}

std::optional<SavedCache> FolderCaches::Read(const std::string& path) const {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::size_t>(status.st_size) > kEntryBytesMax) {
    return std::nullopt;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::optional<SavedCache> cache = Decode(bytes);
  if (cache.has_value() && PathOf(cache->scope, cache->content.name) == path) {
    cache->used_at =
        base::InstantFromMicros(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000);
    return cache;
  }
  return std::nullopt;
}

std::vector<SavedCache> FolderCaches::ListFolder(const std::string& folder) const {
  std::vector<SavedCache> caches;
  for (const std::string& name : NamesIn(folder)) {
    if (!IsDigestName(name)) {
      continue;
    }
    if (std::optional<SavedCache> cache = Read(folder + "/" + name)) {
      caches.push_back(*std::move(cache));
    }
  }
  return caches;
}

std::optional<SavedCache> FolderCaches::FindIn(const std::string& scope, const std::string& key,
                                               const std::vector<std::string>& restore_keys) const {
  const std::string path = PathOf(scope, key);
  if (std::optional<SavedCache> exact = Read(path)) {
    return exact;
  }
  if (restore_keys.empty()) {
    return std::nullopt;
  }
  std::vector<SavedCache> there = ListFolder(path.substr(0, path.rfind('/')));
  std::ranges::sort(there, IsNewer);
  for (const std::string& beginning : restore_keys) {
    for (SavedCache& cache : there) {
      if (cache.content.name.starts_with(beginning)) {
        return std::move(cache);
      }
    }
  }
  return std::nullopt;
}

base::StatusOr<std::optional<model::Artifact>> FolderCaches::Find(
    const CacheScopes& scopes, const std::string& key,
    const std::vector<std::string>& restore_keys) {
  std::vector<std::string> order = {scopes.own};
  order.insert(order.end(), scopes.others.begin(), scopes.others.end());
  std::optional<SavedCache> found;
  for (const std::string& scope : order) {
    std::optional<SavedCache> here = FindIn(scope, key, restore_keys);
    // The very key of another scope is better than a beginning in the own one.
    if (here.has_value() && (!found.has_value() || here->content.name == key)) {
      found = std::move(here);
    }
    if (found.has_value() && found->content.name == key) {
      break;
    }
  }
  if (!found.has_value()) {
    return std::optional<model::Artifact>();
  }
  SetUsed(PathOf(found->scope, found->content.name), options_.now());
  return std::optional(std::move(found->content));
}

base::Status FolderCaches::Add(const std::string& scope, const model::Artifact& content) {
  if (content.bytes > options_.bytes_max) {
    return base::ResourceExhausted("it has {} bytes; all caches together may have {}",
                                   content.bytes, options_.bytes_max);
  }
  const std::string path = PathOf(scope, content.name);
  const std::string folder = path.substr(0, path.rfind('/'));
  RETURN_IF_ERROR(MakeFolder(folder));
  static std::atomic<std::uint64_t> counter = 0;
  const std::string aside = fmt::format("{}/{}/{}-{}", folder_, kTemporary, getpid(), ++counter);
  const base::Instant now = options_.now();
  base::Status added = WriteDurably(
      aside, Encode({.scope = scope, .content = content, .saved_at = now, .used_at = now}));
  if (added.ok()) {
    SetUsed(aside, now);
    int linked = link(aside.c_str(), path.c_str());
    if (linked != 0 && errno == ENOENT && MakeFolder(folder).ok()) {
      linked = link(aside.c_str(), path.c_str());  // a sweep found it empty meanwhile
    }
    if (linked != 0) {
      added = errno == EEXIST ? base::AlreadyExists("there is a cache '{}'", content.name)
                              : base::FromErrno(errno, "save " + path);
    }
  }
  unlink(aside.c_str());
  RETURN_IF_ERROR(added);
  RETURN_IF_ERROR(FlushFolder(folder));
  Trim(path);
  return base::OkStatus();
}

base::Status FolderCaches::Drop(const CacheScopes& scopes, const model::Artifact& content) {
  std::vector<std::string> order = {scopes.own};
  order.insert(order.end(), scopes.others.begin(), scopes.others.end());
  for (const std::string& scope : order) {
    const std::string path = PathOf(scope, content.name);
    // Another one may have been saved in its place meanwhile.
    const std::optional<SavedCache> there = Read(path);
    if (there.has_value() && there->content.manifest == content.manifest) {
      unlink(path.c_str());
    }
  }
  return base::OkStatus();
}

std::vector<SavedCache> FolderCaches::List() const {
  std::vector<SavedCache> all;
  for (const std::string& name : NamesIn(folder_)) {
    if (IsDigestName(name)) {
      std::vector<SavedCache> here = ListFolder(folder_ + "/" + name);
      std::ranges::move(here, std::back_inserter(all));
    }
  }
  std::ranges::sort(all, [](const SavedCache& a, const SavedCache& b) {
    return std::tie(a.used_at, a.scope, a.content.name) >
           std::tie(b.used_at, b.scope, b.content.name);
  });
  return all;
}

std::uint32_t FolderCaches::Trim(const std::string& but_not) {
  const base::Instant oldest = options_.now() - options_.expire;
  std::vector<SavedCache> all = List();
  std::uint64_t bytes = 0;
  for (const SavedCache& cache : all) {
    bytes += PathOf(cache.scope, cache.content.name) == but_not ? cache.content.bytes : 0;
  }
  std::uint32_t removed = 0;
  for (const SavedCache& cache : all) {
    const std::string path = PathOf(cache.scope, cache.content.name);
    if (path == but_not) {
      continue;
    }
    const bool is_old = cache.used_at < oldest;
    if (is_old || bytes + cache.content.bytes > options_.bytes_max) {
      removed += unlink(path.c_str()) == 0 ? 1 : 0;
    } else {
      bytes += cache.content.bytes;
    }
  }
  return removed;
}

std::uint32_t FolderCaches::Sweep() {
  const std::string temporary = folder_ + "/" + kTemporary;
  for (const std::string& name : NamesIn(temporary)) {
    if (IsOfDeadSaver(name)) {
      unlink((temporary + "/" + name).c_str());
    }
  }
  const std::uint32_t removed = Trim("");
  for (const std::string& name : NamesIn(folder_)) {
    if (IsDigestName(name)) {
      rmdir((folder_ + "/" + name).c_str());  // only when nothing is in it
    }
  }
  return removed;
}

}  // namespace store::caches
