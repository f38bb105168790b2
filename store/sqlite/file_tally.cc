// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/file_tally.h"

#include <algorithm>
#include <array>
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
  bool grows = false;
  sqlite3_int64 size = 0;  ///< of a log that grows: at least this long when last looked
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

// SQLite writes to the log under its write lock, so the end that is found here stays where it is.
// Readers stop at the first frame whose salt does not fit: at zeros. When there is no room for
// them, the write itself will tell.
void MakeRoom(sqlite3_file* file, Tail& tail, sqlite3_int64 end) {
  static constexpr std::array<char, 64 * 1024> kZeros{};
  if (end <= tail.size || tail.real->xFileSize(file, &tail.size) != SQLITE_OK || end <= tail.size) {
    return;
  }
  constexpr auto kStep = static_cast<sqlite3_int64>(kZeros.size());
  const sqlite3_int64 wanted = end + std::max(kStep, end / 2);
  while (tail.size < wanted) {
    const int count = static_cast<int>(std::min(kStep, wanted - tail.size));
    if (tail.real->xWrite(file, kZeros.data(), count, tail.size) != SQLITE_OK) {
      return;
    }
    tail.size += count;
  }
}

int CountedWrite(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  Tail* tail = TailOf(file);
  if (tail->grows) {
    MakeRoom(file, *tail, offset + size);
  }
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
  tail->grows = tally->grow_log() && (flags & SQLITE_OPEN_WAL) != 0;
  tail->methods = *file->pMethods;
  tail->methods.xSync = CountedSync;
  tail->methods.xWrite = CountedWrite;
  file->pMethods = &tail->methods;
  return code;
}

}  // namespace

FileTally::FileTally(std::string path, bool grow_log)
    : path_(std::move(path)), grow_log_(grow_log) {
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
