// SPDX-License-Identifier: Apache-2.0
#include "agents/journal/record_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/base/log.h"

namespace agents::journal {
namespace {

namespace base = engine::base;

constexpr std::string_view kMagic = "DAYFLYJ1";
constexpr std::size_t kHeadBytes = 8;

std::uint32_t ReadNumber(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i-- > 0;) {
    number = (number << 8) | static_cast<std::uint8_t>(bytes[i]);
  }
  return number;
}

void WriteNumber(std::uint32_t number, std::string& out) {
  for (int i = 0; i < 4; ++i) {
    out.push_back(static_cast<char>(number >> (8 * i)));
  }
}

void FrameTo(std::string_view payload, std::string& out) {
  std::string length;
  WriteNumber(static_cast<std::uint32_t>(payload.size()), length);
  out += length;
  WriteNumber(base::Crc32(base::Crc32(0, length), payload), out);
  out += payload;
}

/// The next whole record of `bytes` from `at`, and moves `at` behind it; nothing at a torn end.
std::optional<std::string_view> NextRecord(std::string_view bytes, std::size_t& at) {
  if (bytes.size() - at < kHeadBytes) {
    return std::nullopt;
  }
  const std::string_view head = bytes.substr(at, kHeadBytes);
  const std::uint32_t length = ReadNumber(head);
  if (length > kRecordBytesMax || length > bytes.size() - at - kHeadBytes) {
    return std::nullopt;
  }
  const std::string_view payload = bytes.substr(at + kHeadBytes, length);
  if (base::Crc32(base::Crc32(0, head.substr(0, 4)), payload) != ReadNumber(head.substr(4))) {
    return std::nullopt;
  }
  at += kHeadBytes + length;
  return payload;
}

base::StatusOr<std::string> ReadWhole(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    return base::FromErrno(errno, path);
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t count =
        pread(fd, bytes.data() + got, bytes.size() - got, static_cast<off_t>(got));
    if (count <= 0) {
      return base::FromErrno(count < 0 ? errno : EIO, "read " + path);
    }
    got += static_cast<std::size_t>(count);
  }
  return bytes;
}

base::Status WriteAt(int fd, std::string_view bytes, std::uint64_t at, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return base::FromErrno(count < 0 ? errno : ENOSPC, "write " + path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    at += static_cast<std::uint64_t>(count);
  }
  return base::OkStatus();
}

/// The name itself must survive, too.
base::Status FlushFolderOf(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) {
    close(fd);
  }
  return flushed ? base::OkStatus() : base::FromErrno(error, "flush folder " + folder);
}

}  // namespace

base::StatusOr<RecordFile::Opened> RecordFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return base::FromErrno(errno, path);
  }
  std::unique_ptr<RecordFile> file(new RecordFile(path, fd, 0));
  ASSIGN_OR_RETURN(const std::string bytes, ReadWhole(fd, path));
  Opened opened;
  std::size_t at = 0;
  if (bytes.size() >= kMagic.size()) {
    if (!bytes.starts_with(kMagic)) {
      return base::FailedPrecondition("{} is no journal of this program", path);
    }
    at = kMagic.size();
    while (const std::optional<std::string_view> record = NextRecord(bytes, at)) {
      opened.records.emplace_back(*record);
    }
  } else {
    RETURN_IF_ERROR(WriteAt(fd, kMagic, 0, path));
    RETURN_IF_ERROR(FlushFolderOf(path));
  }
  opened.torn_bytes = at == 0 ? 0 : bytes.size() - at;
  file->size_ = file->size_rewritten_ = at == 0 ? kMagic.size() : at;
  if (ftruncate(fd, static_cast<off_t>(file->size_)) != 0) {
    return base::FromErrno(errno, "cut " + path);
  }
  opened.file = std::move(file);
  return opened;
}

RecordFile::RecordFile(std::string path, int fd, std::uint64_t size)
    : path_(std::move(path)), fd_(fd), size_(size), size_rewritten_(size) {
  thread_ = std::thread([this] { Serve(); });
}

RecordFile::~RecordFile() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  close(fd_);
}

base::Status RecordFile::Append(std::string_view payload) {
  if (payload.size() > kRecordBytesMax) {
    return base::InvalidArgument("a record of {} bytes, the limit is {}", payload.size(),
                                 kRecordBytesMax);
  }
  std::string framed;
  framed.reserve(kHeadBytes + payload.size());
  FrameTo(payload, framed);
  const std::lock_guard lock(mutex_);
  // At a place of its own: what a failed write left there is written over by the next.
  RETURN_IF_ERROR(WriteAt(fd_, framed, size_, path_));
  size_ += framed.size();
  unflushed_ = true;
  if (rewriting_) {
    behind_ += framed;
  }
  return base::OkStatus();
}

void RecordFile::Flush(Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
  }
  wake_.notify_one();
}

void RecordFile::Rewrite(std::vector<std::string> payloads) {
  {
    const std::lock_guard lock(mutex_);
    if (rewriting_) {
      return;
    }
    rewriting_ = true;
    behind_.clear();
    to_rewrite_ = std::move(payloads);
  }
  wake_.notify_one();
}

std::uint64_t RecordFile::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

std::uint64_t RecordFile::size_rewritten() const {
  const std::lock_guard lock(mutex_);
  return size_rewritten_;
}

std::uint64_t RecordFile::flushes() const {
  const std::lock_guard lock(mutex_);
  return flushes_;
}

void RecordFile::Serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || to_rewrite_.has_value() || !waiting_.empty(); });
    if (!waiting_.empty()) {
      FlushOnce(lock);
    } else if (to_rewrite_.has_value()) {
      std::vector<std::string> payloads = *std::exchange(to_rewrite_, std::nullopt);
      lock.unlock();
      const base::Status status = RewriteNow(std::move(payloads));
      if (!status.ok()) {
        spdlog::warn("the journal stays as it is: {}", base::Message(status));
      }
      lock.lock();
      rewriting_ = false;
      behind_.clear();
    } else {
      return;
    }
  }
}

void RecordFile::FlushOnce(std::unique_lock<std::mutex>& lock) {
  std::vector<Done> answered = std::exchange(waiting_, {});
  const int fd = fd_;  // only this thread replaces it
  const bool has_new = std::exchange(unflushed_, false);
  flushes_ += has_new ? 1 : 0;
  lock.unlock();
  const base::Status status =
      !has_new || fdatasync(fd) == 0 ? base::OkStatus() : base::FromErrno(errno, "flush " + path_);
  for (const Done& done : answered) {
    done(status);
  }
  lock.lock();
  unflushed_ = unflushed_ || !status.ok();
}

base::Status RecordFile::RewriteNow(std::vector<std::string> payloads) {
  std::string bytes(kMagic);
  for (const std::string& payload : payloads) {
    FrameTo(payload, bytes);
  }
  const std::string fresh = path_ + ".new";
  const int fd = open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return base::FromErrno(errno, fresh);
  }
  base::Status status = WriteAt(fd, bytes, 0, fresh);
  if (status.ok() && fdatasync(fd) != 0) {
    status = base::FromErrno(errno, "flush " + fresh);
  }
  if (status.ok()) {
    status = SwapIn(fresh, fd, bytes.size());
  }
  if (!status.ok()) {
    close(fd);
    unlink(fresh.c_str());
  }
  return status;
}

/// Nobody appends while this holds the mutex, so the new file misses nothing when it takes the
/// name.
base::Status RecordFile::SwapIn(const std::string& fresh, int fd, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(WriteAt(fd, behind_, size, fresh));
  // What was flushed in the old file must not be less safe in the new one.
  if (fdatasync(fd) != 0 || rename(fresh.c_str(), path_.c_str()) != 0) {
    return base::FromErrno(errno, "replace " + path_);
  }
  close(std::exchange(fd_, fd));
  size_ = size_rewritten_ = size + behind_.size();
  // It has the name already, so there is no way back: the old one would lack what comes next.
  if (const base::Status flushed = FlushFolderOf(path_); !flushed.ok()) {
    spdlog::warn("{}", base::Message(flushed));
  }
  return base::OkStatus();
}

}  // namespace agents::journal
