// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/log_spool.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "engine/base/checksum.h"

namespace executors::sandboxes {
namespace {

using engine::base::FromErrno;
using engine::model::LogRange;

/// Times are noted at most this often.
constexpr std::int64_t kNoteEveryMicros = 4000;
/// Dirty bytes handed to the disk while the command still runs, so that the flush at its end is
/// short.
constexpr std::uint64_t kWriteBackBytes = 8 << 20;

std::int64_t WallMicros() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

std::string LimitMark(std::uint64_t limit) {
  return fmt::format("\n[dayfly: log_limit of {} bytes reached, the rest is not kept]\n", limit);
}

}  // namespace

LogSpool::LogSpool(std::string folder, std::uint32_t slot, Limits limits)
    : folder_(std::move(folder)), slot_(slot), limits_(limits) {
  if (limits_.spool_bytes_max > 0) {
    // Only full segments are removed, so a full spool must hold some.
    limits_.segment_bytes_max = std::min(limits_.segment_bytes_max,
                                         std::max<std::uint64_t>(1, limits_.spool_bytes_max / 4));
  }
}

void LogSpool::Begin(const engine::model::LogTag& tag, std::uint64_t limit) {
  tag_ = tag;
  limit_ = limit;
  kept_ = 0;
  noted_at_ = 0;
  log_ = {};
  status_ = engine::base::OkStatus();
}

void LogSpool::Append(std::span<const char> bytes) {
  if (log_.truncated || bytes.empty()) {
    return;
  }
  if (limit_ == 0 || kept_ + bytes.size() <= limit_) {
    Keep(bytes);
    return;
  }
  Keep(bytes.first(static_cast<std::size_t>(limit_ - std::min(kept_, limit_))));
  log_.truncated = true;
  Keep(LimitMark(limit_));
}

/// Writes `bytes` behind what the log has. After the first failure nothing more is written for this
/// command, so that what is kept is a prefix of what it printed.
void LogSpool::Keep(std::span<const char> bytes) {
  while (!bytes.empty()) {
    if (!status_.ok()) {
      log_.lost_bytes += bytes.size();
      return;
    }
    if (!OpenSegment()) {
      Lose(bytes.size(), errno);
      return;
    }
    const auto written =
        pwrite(segment_fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(segment_size_));
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      Lose(bytes.size(), errno);
      return;
    }
    const auto size = static_cast<std::size_t>(written);
    const bool first = log_.ranges.empty();
    NoteTime();
    if (first || log_.ranges.back().segment != segment_) {
      log_.ranges.push_back({.segment = segment_, .offset = segment_size_, .length = 0});
    }
    log_.ranges.back().length += size;
    log_.checksum = engine::base::Crc32(log_.checksum, {bytes.data(), size});
    segment_size_ += size;
    kept_ += size;
    bytes = bytes.subspan(size);
    if (first) {
      WriteLive(true);
    }
    if (segment_size_ - write_back_from_ >= kWriteBackBytes) {
      StartWriteBack();
    }
  }
}

bool LogSpool::EnsureFolder() {
  if (folder_fd_.valid()) {
    return true;
  }
  if (mkdir(folder_.c_str(), 0777) != 0 && errno != EEXIST) {
    return false;
  }
  folder_fd_ = FileDescriptor(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder_fd_.valid();
}

bool LogSpool::HasRoom() {
  const auto is_full = [this] { return earlier_bytes_ + segment_size_ >= limits_.spool_bytes_max; };
  if (limits_.spool_bytes_max == 0 || !is_full()) {
    return true;
  }
  std::erase_if(earlier_, [this](const Kept& kept) {
    const auto name = engine::model::SegmentFileName(kept.segment);
    if (faccessat(folder_fd_.get(), name.c_str(), F_OK, 0) == 0 || errno != ENOENT) {
      return false;
    }
    earlier_bytes_ -= kept.bytes;
    return true;
  });
  return !is_full();
}

/// Counts what an earlier keeper left; the first ordinal that is free.
std::uint32_t LogSpool::TakeStock() {
  std::uint32_t free = 0;
  DIR* listing = opendir(folder_.c_str());
  if (listing == nullptr) {
    return free;
  }
  while (const dirent* entry = readdir(listing)) {
    const auto segment = engine::model::SegmentFromFileName(entry->d_name);
    if (segment && engine::model::SegmentSlot(*segment) == slot_) {
      free = std::max(free, engine::model::SegmentOrdinal(*segment) + 1);
      struct stat file {};
      if (fstatat(dirfd(listing), entry->d_name, &file, 0) == 0) {
        earlier_.push_back({*segment, static_cast<std::uint64_t>(file.st_size)});
        earlier_bytes_ += earlier_.back().bytes;
      }
    }
  }
  closedir(listing);
  return free;
}

/// Opens the first segment, or the next when the present one is full. On failure `errno` says why.
bool LogSpool::OpenSegment() {
  if (segment_fd_.valid() && segment_size_ < limits_.segment_bytes_max) {
    return true;
  }
  if (segment_fd_.valid()) {
    // Its bytes go to the disk while the command goes on; `Finish` waits for them.
    StartWriteBack();
    unflushed_.push_back(std::move(segment_fd_));
    earlier_.push_back({segment_, segment_size_});
    earlier_bytes_ += std::exchange(segment_size_, 0);
    WriteTimes();
  } else if (!EnsureFolder()) {
    return false;
  }
  const auto ordinal = ordinal_known_ ? engine::model::SegmentOrdinal(segment_) + 1 : TakeStock();
  if (ordinal > engine::model::kSegmentOrdinalMax) {
    errno = EFBIG;
    return false;
  }
  const auto segment = engine::model::SegmentNumber(slot_, ordinal);
  FileDescriptor file(openat(folder_fd_.get(), engine::model::SegmentFileName(segment).c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.valid()) {
    return false;
  }
  segment_fd_ = std::move(file);
  // The index is a comfort; without it times are not shown.
  index_fd_ =
      FileDescriptor(openat(folder_fd_.get(), engine::model::SegmentIndexName(segment).c_str(),
                            O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666));
  ordinal_known_ = true;
  folder_dirty_ = true;
  segment_ = segment;
  segment_size_ = 0;
  write_back_from_ = 0;
  noted_at_ = 0;
  return true;
}

void LogSpool::NoteTime() {
  const auto now = WallMicros();
  // A clock that was set back starts a new entry as well.
  if (noted_at_ != 0 && now >= noted_at_ && now - noted_at_ < kNoteEveryMicros) {
    return;
  }
  noted_at_ = now;
  const auto entry = engine::model::EncodeReadTime(
      {.offset = segment_size_, .at = engine::base::InstantFromMicros(now)});
  times_.append(entry.data(), entry.size());
  if (times_.size() >= 64 * entry.size()) {
    WriteTimes();
  }
}

void LogSpool::WriteTimes() {
  if (index_fd_.valid() && !times_.empty() &&
      write(index_fd_.get(), times_.data(), times_.size()) != static_cast<ssize_t>(times_.size())) {
    index_fd_.Close();
  }
  times_.clear();
}

/// What an earlier keeper wrote last: maybe nobody heard how that ended, so where it lies must
/// outlive the note of it.
void LogSpool::KeepCut() {
  char bytes[engine::model::kLiveLogBytes];
  if (!live_fd_.valid() || pread(live_fd_.get(), bytes, sizeof bytes, 0) != sizeof bytes) {
    return;
  }
  auto log = engine::model::DecodeLiveLog({bytes, sizeof bytes});
  if (!log || earlier_.empty()) {
    return;
  }
  if (log->growing) {
    const auto last =
        std::max_element(earlier_.begin(), earlier_.end(),
                         [](const Kept& a, const Kept& b) { return a.segment < b.segment; });
    log->growing = false;
    log->end_segment = last->segment;
    log->end_offset = last->bytes;
  }
  const auto record = engine::model::EncodeLiveLog(*log);
  const FileDescriptor cut(openat(folder_fd_.get(), engine::model::CutLogsName(slot_).c_str(),
                                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (cut.valid() && write(cut.get(), record.data(), record.size()) < 0) {
    // A comfort like the note itself: the bytes stay, only the way to them is lost.
    return;
  }
}

void LogSpool::WriteLive(bool growing) {
  if (!live_fd_.valid()) {
    live_fd_ = FileDescriptor(openat(folder_fd_.get(), engine::model::LiveLogName(slot_).c_str(),
                                     O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    KeepCut();
  }
  if (!live_fd_.valid() || log_.ranges.empty()) {
    return;
  }
  const auto& first = log_.ranges.front();
  const auto& last = log_.ranges.back();
  const auto record = engine::model::EncodeLiveLog({.tag = tag_,
                                                    .growing = growing,
                                                    .begin_segment = first.segment,
                                                    .begin_offset = first.offset,
                                                    .end_segment = last.segment,
                                                    .end_offset = last.offset + last.length});
  if (pwrite(live_fd_.get(), record.data(), record.size(), 0) < 0) {
    live_fd_.Close();
  }
}

void LogSpool::StartWriteBack() {
  sync_file_range(segment_fd_.get(), static_cast<off_t>(write_back_from_),
                  static_cast<off_t>(segment_size_ - write_back_from_), SYNC_FILE_RANGE_WRITE);
  write_back_from_ = segment_size_;
}

void LogSpool::Lose(std::size_t bytes, int error) {
  log_.lost_bytes += bytes;
  if (status_.ok()) {
    status_ = FromErrno(error, "writing the log in " + folder_);
  }
}

void LogSpool::Flush() {
  bool flushed = true;
  for (const auto& segment : unflushed_) {
    flushed = fdatasync(segment.get()) == 0 && flushed;
  }
  unflushed_.clear();
  flushed = (!segment_fd_.valid() || fdatasync(segment_fd_.get()) == 0) && flushed;
  write_back_from_ = segment_size_;
  if (folder_dirty_) {
    flushed = fsync(folder_fd_.get()) == 0 && flushed;
    folder_dirty_ = !flushed;
  }
  if (!flushed) {
    // What reached the disk is not known any more; the checksum tells whoever reads it.
    Lose(0, errno);
  }
}

LogSpool::Finished LogSpool::Finish() {
  if (!log_.ranges.empty()) {
    WriteTimes();
    WriteLive(false);
    Flush();
  }
  return {.log = std::move(log_), .status = std::move(status_)};
}

}  // namespace executors::sandboxes
