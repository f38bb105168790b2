// SPDX-License-Identifier: Apache-2.0
// An append-only file of checksummed records. A record that `Append` took survives this process;
// after `Flush` it survives the machine, too. Whatever end a crash tore off is cut away when the
// file is opened again: what is left is always a prefix of what was appended.
//
//   file   = magic, record*           magic = "DAYFLYJ1"
//   record = length, crc, payload     both 32 bits, little-endian; the CRC is of length and payload
//
// Flushes share one thread and one disk flush: all that was asked for while one was under way is
// answered by the next, and without the disk when nothing was appended since. Called on one thread;
// only `done` of `Flush` comes on the flushing thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/base/status.h"

namespace agents::journal {

inline constexpr std::uint32_t kRecordBytesMax = 64U << 20;

class RecordFile {
 public:
  using Done = std::function<void(const engine::base::Status&)>;

  struct Opened {
    std::unique_ptr<RecordFile> file;
    std::vector<std::string> records;
    std::uint64_t torn_bytes = 0;  ///< cut away at the end
  };
  /// Makes the file when it is missing. `FailedPrecondition`: it is no such file.
  static engine::base::StatusOr<Opened> Open(const std::string& path);
  /// Flushes what was appended, answers who waits, and ends.
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// After a failure (`ResourceExhausted`: the disk is full) the record is not in the file and the
  /// next may still succeed.
  engine::base::Status Append(std::string_view payload);

  /// `done` once, on the flushing thread, when all that was appended so far is on the disk.
  void Flush(Done done);

  /// Puts `payloads` in the place of everything appended so far, all or nothing, on the flushing
  /// thread; what is appended meanwhile stays behind them. One at a time: ignored while one is
  /// under way.
  void Rewrite(std::vector<std::string> payloads);

  /// Bytes in the file, and how many there were after the last rewrite.
  std::uint64_t size() const;
  std::uint64_t size_rewritten() const;
  /// Disk flushes so far.
  std::uint64_t flushes() const;

 private:
  RecordFile(std::string path, int fd, std::uint64_t size);
  void Serve();
  void FlushOnce(std::unique_lock<std::mutex>& lock);
  engine::base::Status RewriteNow(std::vector<std::string> payloads);
  engine::base::Status SwapIn(const std::string& fresh, int fd, std::uint64_t size);

  const std::string path_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  int fd_;  ///< replaced by a rewrite, under the mutex
  std::uint64_t size_;
  std::uint64_t size_rewritten_;
  std::uint64_t flushes_ = 0;
  bool unflushed_ = true;  ///< maybe: what another process appended, too
  std::string behind_;     ///< appended while a rewrite is under way
  bool rewriting_ = false;
  std::optional<std::vector<std::string>> to_rewrite_;
  std::vector<Done> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace agents::journal
