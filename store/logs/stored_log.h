// SPDX-License-Identifier: Apache-2.0
// What a server knows of one log: where each part of it lies and how far it has come. No I/O, no
// lock; whoever holds it guards it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/log_state.h"
#include "store/logs/log_record.h"
#include "store/logs/record_file.h"

namespace store::logs {

/// A part of a log in a record of a file.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t length = 0;
  std::uint64_t skip = 0;  ///< bytes of the record that stand in front of it
  LogRecord record;
  std::shared_ptr<RecordFile> file;
  std::uint64_t position = 0;                 ///< of the record's payload
  std::shared_ptr<const std::string> memory;  ///< the record's bytes, as long as there is room
  std::uint64_t end() const { return begin + length; }
  bool is_archived() const { return record.kind == RecordKind::kFrame; }
};

/// The record's bytes. `DataLoss` names the bytes of the log that are damaged. Reads the disk.
engine::base::StatusOr<std::string> ReadRecord(const Extent& extent);

/// How far a log would be if what is under way were durable.
struct Progress {
  std::uint64_t received = 0;
  std::optional<std::uint32_t> checksum = 0;  ///< of those bytes; nothing: to be worked out
  std::optional<engine::model::LogEnd> end;

  /// The part of `bytes` that is new, and takes it in; empty when it was all there. Errors as
  /// `LogSink::Append` gives them.
  engine::base::StatusOr<std::string_view> Take(std::uint64_t offset, std::string_view bytes);
  /// Checks and takes in an end; what must be stored, or nothing when it is there already. Errors
  /// as `LogSink::End` gives them but `DataLoss`: the stored end then says `damaged`.
  engine::base::StatusOr<std::optional<engine::model::LogEnd>> Take(engine::model::LogEnd end);
};

/// An end that lies in a file of the arrivals; without one in the archive.
struct FoundEnd {
  engine::model::LogEnd end;
  std::shared_ptr<RecordFile> file;
};

class StoredLog {
 public:
  engine::model::LogState state() const;
  const Progress& progress() const { return progress_; }
  const std::map<std::uint64_t, Extent>& extents() const { return extents_; }
  bool is_archived() const;
  std::uint64_t archived() const { return archived_; }

  /// The next part, durable; its bytes begin where the log ended.
  void Add(Extent extent, const Progress& after);
  void SetEnd(const Progress& after, std::shared_ptr<RecordFile> file) {
    progress_ = after;
    end_file_ = std::move(file);
  }
  void SetChecksum(std::uint32_t checksum) { progress_.checksum = checksum; }

  /// `frames` lie in the archive and take the place of what stood up to `until`; so does `end`.
  void Archive(std::vector<Extent> frames, std::uint64_t until,
               const std::optional<engine::model::LogEnd>& end);
  /// The arrivals's file that holds the end, while the archive does not.
  const std::shared_ptr<RecordFile>& end_file() const { return end_file_; }
  /// Keeps the bytes of an extent's record; false when it is not there any more.
  bool Remember(const Extent& extent, std::shared_ptr<const std::string> memory);
  void Forget(std::uint64_t begin);

  /// Makes the log of what was found on the disk, in any order, also twice.
  static StoredLog FromParts(std::vector<Extent> parts, const std::vector<FoundEnd>& ends);

 private:
  Progress progress_;
  std::map<std::uint64_t, Extent> extents_;  ///< by their beginning; a gap is what was lost here
  std::uint64_t archived_ = 0;
  std::shared_ptr<RecordFile> end_file_;
};

}  // namespace store::logs
