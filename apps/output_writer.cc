// SPDX-License-Identifier: Apache-2.0
#include "apps/output_writer.h"

#include <cerrno>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace apps {
namespace {

namespace base = engine::base;

bool IsFile(int descriptor) {
  struct stat facts {};
  return fstat(descriptor, &facts) == 0 &&
         (S_ISREG(facts.st_mode) || (S_ISCHR(facts.st_mode) && isatty(descriptor) == 0));
}

base::Status WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // Whoever gave us the descriptor made it non-blocking.
      pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return base::FromErrno(errno, "standard output");
    }
  }
  return base::OkStatus();
}

}  // namespace

OutputWriter::OutputWriter(int descriptor, std::function<void(base::Status)> on_error)
    : descriptor_(descriptor), direct_(IsFile(descriptor)), on_error_(std::move(on_error)) {}

OutputWriter::~OutputWriter() {
  Drain();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void OutputWriter::Write(std::string text) {
  if (text.empty()) {
    return;
  }
  if (direct_) {
    WriteNow(text);
    return;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kWaitingBytesMax || !status_.ok(); });
  if (!status_.ok()) {
    return;
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { Work(); });
  }
  waiting_ += text;
  lock.unlock();
  changed_.notify_all();
}

void OutputWriter::WriteNow(std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    if (!status_.ok()) {
      return;
    }
  }
  base::Status written = WriteAll(descriptor_, text);
  if (written.ok()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    status_ = written;
    waiting_.clear();
  }
  changed_.notify_all();
  if (on_error_) {
    on_error_(written);
  }
}

void OutputWriter::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const std::string text = std::exchange(waiting_, {});
    writing_ = true;
    lock.unlock();
    WriteNow(text);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

void OutputWriter::Drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (waiting_.empty() && !writing_) || !status_.ok(); });
}

base::Status OutputWriter::status() {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace apps
