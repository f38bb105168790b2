// SPDX-License-Identifier: Apache-2.0
// Writes what the commands of one slot print into the slot's segments. A command that prints
// nothing costs no file and no flush. Used by the keeper, on its one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/log_range.h"
#include "engine/model/log_segment.h"
#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {

class LogSpool {
 public:
  struct Limits {
    std::uint64_t segment_bytes_max = 0;
    std::uint64_t spool_bytes_max = 0;  ///< of all the slot's segments together; 0: no limit
  };
  /// Segments go to `folder`, which is made with the first byte. They begin after the highest
  /// number that is there: an earlier keeper's segments are never written again.
  LogSpool(std::string folder, std::uint32_t slot, Limits limits);

  /// A new command's log begins; at most `limit` bytes of it are kept (0: all), then a mark.
  void Begin(const engine::model::LogTag& tag, std::uint64_t limit);
  /// Bytes as they came. Never fails: what cannot be kept is counted and `Finish` tells.
  void Append(std::span<const char> bytes);
  /// False: the spool is full until somebody removes segments. What is appended all the same is
  /// kept; the caller stops reading what the command prints, and asks again.
  bool HasRoom();
  struct Finished {
    engine::model::StepLog log;
    engine::base::Status status;  ///< not OK: why bytes were lost
  };
  /// Makes the log durable.
  Finished Finish();

 private:
  void Keep(std::span<const char> bytes);
  bool OpenSegment();
  bool EnsureFolder();
  std::uint32_t TakeStock();
  void NoteTime();
  void WriteTimes();
  void WriteLive(bool growing);
  void KeepCut();
  void StartWriteBack();
  void Lose(std::size_t bytes, int error);
  void Flush();

  std::string folder_;
  std::uint32_t slot_;
  Limits limits_;
  struct Kept {
    std::uint32_t segment = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<Kept> earlier_;  ///< segments that are full and may have been removed
  std::uint64_t earlier_bytes_ = 0;

  FileDescriptor folder_fd_;
  FileDescriptor segment_fd_;
  std::vector<FileDescriptor> unflushed_;  ///< full segments of the present log
  FileDescriptor index_fd_;
  FileDescriptor live_fd_;
  bool ordinal_known_ = false;
  bool folder_dirty_ = false;  ///< a new file's name is not durable yet
  std::uint32_t segment_ = 0;
  std::uint64_t segment_size_ = 0;
  std::uint64_t write_back_from_ = 0;

  engine::model::LogTag tag_;
  std::uint64_t limit_ = 0;
  std::uint64_t kept_ = 0;
  std::int64_t noted_at_ = 0;
  std::string times_;
  engine::model::StepLog log_;
  engine::base::Status status_;
};

}  // namespace executors::sandboxes
