// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/file_tally.h"

#include <map>
#include <mutex>
#include <new>
#include <string_view>

#include <sqlite3.h>

namespace store::sqlite {
namespace {

// Which database counts where. SQLite opens the log when it is first needed, from any thread.
struct Registry {
  std::mutex mutex;
  std::map<std::string, FileTally*, std::less<>> tallies;
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

FileTally* TallyOf(std::string_view file) {
  for (const std::string_view suffix : {"-wal", "-journal"}) {
    if (file.ends_with(suffix)) {
      file.remove_suffix(suffix.size());
    }
  }
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  const auto found = registry.tallies.find(file);
  return found == registry.tallies.end() ? nullptr : found->second;
}

sqlite3_vfs* RealVfs() {
  static sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
  return real;
}

// Stands behind the real file object. The file's table of methods is replaced by a copy in which
// the two counted ones lead here; all others are the real ones, called with the real file.
struct Tail {
  const sqlite3_io_methods* real = nullptr;
  FileTally* tally = nullptr;
  sqlite3_io_methods methods{};
};

Tail* TailOf(sqlite3_file* file) {
  return reinterpret_cast<Tail*>(reinterpret_cast<char*>(file) + RealVfs()->szOsFile);
}

int CountedSync(sqlite3_file* file, int flags) {
  Tail* tail = TailOf(file);
  tail->tally->AddFlush();
  return tail->real->xSync(file, flags);
}

int CountedWrite(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  Tail* tail = TailOf(file);
  tail->tally->AddWritten(static_cast<std::uint64_t>(size));
  return tail->real->xWrite(file, bytes, size, offset);
}

int OpenCounted(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags,
                int* out_flags) {
  const int code = RealVfs()->xOpen(RealVfs(), name, file, flags, out_flags);
  FileTally* tally = name == nullptr ? nullptr : TallyOf(name);
  if (code != SQLITE_OK || file->pMethods == nullptr || tally == nullptr) {
    return code;
  }
  Tail* tail = new (TailOf(file)) Tail;
  tail->real = file->pMethods;
  tail->tally = tally;
  tail->methods = *file->pMethods;
  tail->methods.xSync = CountedSync;
  tail->methods.xWrite = CountedWrite;
  file->pMethods = &tail->methods;
  return code;
}

}  // namespace

FileTally::FileTally(std::string path) : path_(std::move(path)) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.tallies[path_] = this;
}

FileTally::~FileTally() {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  const auto found = registry.tallies.find(path_);
  if (found != registry.tallies.end() && found->second == this) {
    registry.tallies.erase(found);
  }
}

const char* TallyingVfs() {
  static constexpr const char* kName = "dayfly-tally";
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *RealVfs();
    copy.zName = kName;
    copy.pNext = nullptr;
    copy.szOsFile = RealVfs()->szOsFile + static_cast<int>(sizeof(Tail));
    copy.xOpen = OpenCounted;
    return copy;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? kName : nullptr;
}

}  // namespace store::sqlite
