// SPDX-License-Identifier: Apache-2.0
// A file of log records that only grows. One writer; readers on any thread may read what was
// written before, also when the file's name is gone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "store/logs/log_record.h"

namespace store::logs {

class RecordFile {
 public:
  /// `AlreadyExists` when there is such a file: nobody writes another's.
  static engine::base::StatusOr<std::shared_ptr<RecordFile>> Create(const std::string& path);
  static engine::base::StatusOr<std::shared_ptr<RecordFile>> Open(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Adds a record to what `Write` writes; where its payload will stand.
  std::uint64_t Gather(const LogRecord& record, std::string_view payload);
  /// Writes what was gathered and flushes it to the disk. On failure nothing of it is there, unless
  /// the file `is_broken`: then nobody knows.
  engine::base::Status Write();
  /// After a flush that failed, or a half-written record that could not be taken back: begin
  /// another file.
  bool is_broken() const { return broken_; }

  /// `DataLoss` when the file is shorter.
  engine::base::StatusOr<std::string> Read(std::uint64_t position, std::uint64_t length) const;

  /// All whole records in order with the position of their payload; what is damaged between them,
  /// or torn at the end, is passed over.
  engine::base::Status Scan(
      const std::function<void(const LogRecord& record, std::uint64_t position)>& visit) const;

 private:
  RecordFile(std::string path, int fd, std::uint64_t size);
  std::string path_;
  int fd_;
  std::uint64_t size_;
  std::string gathered_;
  bool broken_ = false;
};

/// Makes the names in `folder` durable.
engine::base::Status FlushFolder(const std::string& folder);
/// Makes `folder` when it is missing; its parent exists.
engine::base::Status MakeFolder(const std::string& folder);

}  // namespace store::logs
