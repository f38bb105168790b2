// SPDX-License-Identifier: Apache-2.0
#include "store/logs/segment_reader.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "engine/base/checksum.h"

namespace store::logs {
namespace {

using engine::base::DataLoss;
using engine::base::FromErrno;
using engine::base::NotFound;
using engine::base::OkStatus;
using engine::base::Status;
using engine::base::StatusOr;
using engine::model::LiveLog;
using engine::model::LogRange;
using engine::model::ReadTime;
using engine::model::StepLog;

constexpr std::uint64_t kPieceBytes = 1 << 20;
/// A record that is being written is whole again within a few reads.
constexpr int kTornReadsMax = 1000;

/// An open file, closed with the scope.
class File {
 public:
  explicit File(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool opened() const { return fd_ >= 0; }
  [[nodiscard]] std::uint64_t Size() const {
    struct stat stat {};
    return fstat(fd_, &stat) == 0 ? static_cast<std::uint64_t>(stat.st_size) : 0;
  }
  /// Appends up to `length` bytes from `offset` to `out`; how many. `errno` tells when fewer.
  std::uint64_t ReadAt(std::uint64_t offset, std::uint64_t length, std::string& out) const {
    const auto before = out.size();
    out.resize(before + static_cast<std::size_t>(length));
    std::uint64_t done = 0;
    errno = 0;
    while (done < length) {
      const auto bytes =
          pread(fd_, out.data() + before + done, static_cast<std::size_t>(length - done),
                static_cast<off_t>(offset + done));
      if (bytes < 0 && errno == EINTR) {
        continue;
      }
      if (bytes <= 0) {
        break;
      }
      done += static_cast<std::uint64_t>(bytes);
    }
    out.resize(before + static_cast<std::size_t>(done));
    return done;
  }

 private:
  int fd_;
};

Status Missing(const std::string& path, std::uint64_t from, std::uint64_t to) {
  return DataLoss("bytes {} to {} of {} are missing", from, to, path);
}

/// The log's part of a segment file, appended to `out`.
Status ReadRange(const std::string& path, std::uint64_t offset, std::uint64_t length,
                 std::string& out) {
  const File file(path);
  if (!file.opened()) {
    return errno == ENOENT ? Missing(path, offset, offset + length) : FromErrno(errno, path);
  }
  const auto done = file.ReadAt(offset, length, out);
  if (done == length) {
    return OkStatus();
  }
  return errno != 0 ? FromErrno(errno, path) : Missing(path, offset + done, offset + length);
}

}  // namespace

std::uint64_t LogLength(const StepLog& log) {
  std::uint64_t length = 0;
  for (const auto& range : log.ranges) {
    length += range.length;
  }
  return length;
}

SegmentReader::SegmentReader(std::string logs_folder) : folder_(std::move(logs_folder)) {}

StatusOr<std::string> SegmentReader::Read(const StepLog& log, std::uint64_t offset,
                                          std::uint64_t length) {
  std::string bytes;
  for (const auto& range : log.ranges) {
    if (length == 0) {
      break;
    }
    if (offset >= range.length) {
      offset -= range.length;
      continue;
    }
    const auto part = std::min(length, range.length - offset);
    RETURN_IF_ERROR(ReadRange(folder_ + "/" + engine::model::SegmentFileName(range.segment),
                              range.offset + offset, part, bytes));
    offset = 0;
    length -= part;
  }
  return bytes;
}

Status SegmentReader::Verify(const StepLog& log) {
  const auto length = LogLength(log);
  std::uint32_t checksum = 0;
  for (std::uint64_t offset = 0; offset < length; offset += kPieceBytes) {
    ASSIGN_OR_RETURN(const std::string piece, Read(log, offset, kPieceBytes));
    checksum = engine::base::Crc32(checksum, piece);
  }
  if (checksum != log.checksum) {
    return DataLoss("a log of {} bytes in {} is damaged: its checksum is {:08x}, not {:08x}",
                    length, folder_, checksum, log.checksum);
  }
  return OkStatus();
}

std::vector<ReadTime> SegmentReader::Times(const StepLog& log) {
  std::vector<ReadTime> times;
  std::uint64_t before = 0;
  for (const auto& range : log.ranges) {
    const File file(folder_ + "/" + engine::model::SegmentIndexName(range.segment));
    std::string bytes;
    if (file.opened()) {
      file.ReadAt(0, file.Size() / engine::model::kReadTimeBytes * engine::model::kReadTimeBytes,
                  bytes);
    }
    for (std::size_t at = 0; at + engine::model::kReadTimeBytes <= bytes.size();
         at += engine::model::kReadTimeBytes) {
      auto time =
          engine::model::DecodeReadTime(std::span<const char, engine::model::kReadTimeBytes>(
              bytes.data() + at, engine::model::kReadTimeBytes));
      if (time.offset >= range.offset && time.offset < range.offset + range.length) {
        time.offset = before + (time.offset - range.offset);
        times.push_back(time);
      }
    }
    before += range.length;
  }
  return times;
}

StatusOr<SegmentReader::Live> SegmentReader::ReadLive(std::uint32_t slot) {
  std::optional<LiveLog> record;
  for (int i = 0; i < kTornReadsMax && !record; ++i) {
    const File file(folder_ + "/" + engine::model::LiveLogName(slot));
    if (!file.opened()) {
      return NotFound("slot {} has printed nothing yet", slot);
    }
    std::string bytes;
    file.ReadAt(0, engine::model::kLiveLogBytes, bytes);
    record = engine::model::DecodeLiveLog(bytes);
  }
  if (!record) {
    return DataLoss("{}/{} is damaged", folder_, engine::model::LiveLogName(slot));
  }
  return LiveOf(*record);
}

StatusOr<StepLog> SegmentReader::ReadCut(std::uint32_t slot, const engine::model::LogTag& tag) {
  if (auto live = ReadLive(slot); live.ok() && live->tag == tag) {
    return std::move(live->log);
  }
  const File file(folder_ + "/" + engine::model::CutLogsName(slot));
  std::string bytes;
  if (file.opened()) {
    file.ReadAt(0, file.Size(), bytes);
  }
  // Whole records only: a full disk may have cut one.
  std::size_t end = bytes.size() / engine::model::kLiveLogBytes * engine::model::kLiveLogBytes;
  for (; end > 0; end -= engine::model::kLiveLogBytes) {
    const auto record = engine::model::DecodeLiveLog(std::string_view(bytes).substr(
        end - engine::model::kLiveLogBytes, engine::model::kLiveLogBytes));
    if (record && record->tag == tag) {
      return std::move(LiveOf(*record).log);
    }
  }
  return NotFound("slot {} has nothing of that log", slot);
}

StatusOr<std::uint32_t> SegmentReader::FindLane(const engine::model::LogTag& tag) {
  constexpr std::string_view kLiveSuffix = ".now";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    std::uint32_t lane = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), lane);
    if (error == std::errc() && std::string_view(end) == kLiveSuffix && ReadCut(lane, tag).ok()) {
      return lane;
    }
  }
  return NotFound("nothing of that log is there");
}

SegmentReader::Live SegmentReader::LiveOf(const LiveLog& record) const {
  Live live{.tag = record.tag, .growing = record.growing};
  for (auto segment = record.begin_segment;; ++segment) {
    const bool first = segment == record.begin_segment;
    const File file(folder_ + "/" + engine::model::SegmentFileName(segment));
    // A growing log ends with the slot's newest segment.
    if (!file.opened()) {
      break;
    }
    const bool last = !record.growing && segment == record.end_segment;
    const auto begin = first ? record.begin_offset : 0;
    const auto end = last ? record.end_offset : file.Size();
    if (end > begin) {
      live.log.ranges.push_back({.segment = segment, .offset = begin, .length = end - begin});
    }
    if (last) {
      break;
    }
  }
  return live;
}

}  // namespace store::logs
