// SPDX-License-Identifier: Apache-2.0
// Stands between SQLite and the operating system, as a VFS that forwards everything. It counts what
// is really done to a database's files, flushes and bytes written, and grows the log in steps: a
// flush of bytes that overwrite zeros takes two thirds of the time of one that also makes the file
// longer, because the file system's own journal stays out of it. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace store::sqlite {

/// The counts of one database: its file, its log and its journal.
class FileTally {
 public:
  /// Files at `path` that are opened from now on are counted here. With `grow_log` the log gets
  /// zeros ahead of what is written: at least 64 KiB, and half as much again as there is.
  FileTally(std::string path, bool grow_log);
  /// After the database was closed.
  ~FileTally();
  FileTally(const FileTally&) = delete;
  FileTally& operator=(const FileTally&) = delete;

  std::uint64_t flushes() const { return flushes_.load(std::memory_order_relaxed); }
  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }

  bool grow_log() const { return grow_log_; }
  void AddFlush() { flushes_.fetch_add(1, std::memory_order_relaxed); }
  void AddWritten(std::uint64_t bytes) { written_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::string path_;
  bool grow_log_;
  std::atomic<std::uint64_t> flushes_{0};
  std::atomic<std::uint64_t> written_{0};
};

/// The VFS to open databases with so that they are counted; registers it once.
const char* TallyingVfs();

}  // namespace store::sqlite
