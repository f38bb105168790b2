// SPDX-License-Identifier: Apache-2.0
#include "store/logs/record_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace store::logs {
namespace {

namespace base = engine::base;

/// Headers are looked for in pieces of this size, so that many small records cost few calls.
constexpr std::uint64_t kScanBytes = 64 << 10;

}  // namespace

RecordFile::RecordFile(std::string path, int fd, std::uint64_t size)
    : path_(std::move(path)), fd_(fd), size_(size) {}

RecordFile::~RecordFile() {
  close(fd_);
}

base::StatusOr<std::shared_ptr<RecordFile>> RecordFile::Create(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    return base::FromErrno(errno, "create " + path);
  }
  std::shared_ptr<RecordFile> file(new RecordFile(path, fd, 0));
  RETURN_IF_ERROR(FlushFolder(path.substr(0, path.rfind('/'))));
  return file;
}

base::StatusOr<std::shared_ptr<RecordFile>> RecordFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) {
    const int error = errno;
    close(fd);
    return base::FromErrno(error, "open " + path);
  }
  return std::shared_ptr<RecordFile>(
      new RecordFile(path, fd, static_cast<std::uint64_t>(status.st_size)));
}

std::uint64_t RecordFile::Gather(const LogRecord& record, std::string_view payload) {
  const auto header = EncodeRecord(record);
  gathered_.append(header.data(), header.size());
  const std::uint64_t position = size_ + gathered_.size();
  gathered_.append(payload);
  return position;
}

base::Status RecordFile::Write() {
  std::string_view left = gathered_;
  std::uint64_t at = size_;
  while (!left.empty()) {
    const auto written = pwrite(fd_, left.data(), left.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      const auto status = base::FromErrno(errno, "write " + path_);
      // Half a record in the middle would hide what is written behind it.
      broken_ = ftruncate(fd_, static_cast<off_t>(size_)) != 0;
      gathered_.clear();
      return status;
    }
    left.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  if (fdatasync(fd_) != 0) {
    broken_ = true;
    gathered_.clear();
    return base::FromErrno(errno, "flush " + path_);
  }
  size_ = at;
  gathered_.clear();
  return base::OkStatus();
}

base::StatusOr<std::string> RecordFile::Read(std::uint64_t position, std::uint64_t length) const {
  std::string bytes(length, '\0');
  std::uint64_t done = 0;
  while (done < length) {
    const auto got =
        pread(fd_, bytes.data() + done, length - done, static_cast<off_t>(position + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return base::FromErrno(errno, "read " + path_);
    }
    if (got == 0) {
      return base::DataLoss("{} ends at {}, not at {} or later", path_, position + done,
                            position + length);
    }
    done += static_cast<std::uint64_t>(got);
  }
  return bytes;
}

base::Status RecordFile::Scan(
    const std::function<void(const LogRecord&, std::uint64_t)>& visit) const {
  std::string piece;
  std::uint64_t piece_at = 0;
  for (std::uint64_t at = 0; at + kRecordBytes <= size_;) {
    if (at < piece_at || at + kRecordBytes > piece_at + piece.size()) {
      ASSIGN_OR_RETURN(piece, Read(at, std::min(kScanBytes, size_ - at)));
      piece_at = at;
    }
    const std::string_view here = std::string_view(piece).substr(at - piece_at);
    const auto record = DecodeRecord(here);
    if (record && record->stored <= size_ - at - kRecordBytes) {
      visit(*record, at + kRecordBytes);
      at += kRecordBytes + record->stored;
    } else {
      // On to the next thing that looks like a record.
      at += std::min(here.find(kRecordMagic, 1), here.size() - kRecordMagic.size() + 1);
    }
  }
  return base::OkStatus();
}

base::Status FlushFolder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  return flushed ? base::OkStatus() : base::FromErrno(error, "flush folder " + folder);
}

base::Status MakeFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) {
    return FlushFolder(folder.substr(0, folder.rfind('/')));
  }
  return errno == EEXIST ? base::OkStatus() : base::FromErrno(errno, "make folder " + folder);
}

}  // namespace store::logs
