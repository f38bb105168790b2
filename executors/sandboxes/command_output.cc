// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/command_output.h"

#include <algorithm>
#include <cerrno>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include "executors/sandboxes/monotonic_micros.h"

namespace executors::sandboxes {
namespace {

/// As much as a pipe holds. A larger pipe was measured and is slower: what is read has then left
/// the processor's near caches.
constexpr std::size_t kReadBytes = 64 << 10;
/// A writer that is silent for so long has paused. Longer than the gaps between the pieces of one
/// write, shorter than a reader who follows would notice.
constexpr std::int64_t kPauseMicros = 100'000;
/// How often a full spool is looked at.
constexpr std::int64_t kRoomWaitMicros = 20'000;

}  // namespace

CommandOutput::CommandOutput(LogSpool spool)
    : spool_(std::move(spool)), paused_at_(kNever), look_at_(kNever), buffer_(kReadBytes) {}

engine::base::Status CommandOutput::SetMasks(std::vector<std::string>& values) {
  if (values != masks_) {
    ASSIGN_OR_RETURN(masker_, executors::masking::Masker::Of(values));
    masks_ = std::move(values);
  }
  return engine::base::OkStatus();
}

void CommandOutput::Begin(FileDescriptor pipe, const engine::model::LogTag& tag,
                          std::uint64_t limit) {
  pipe_ = std::move(pipe);
  spool_.Begin(tag, limit);
}

LogSpool::Finished CommandOutput::End(bool left_running) {
  DrainPipe();
  if (left_running && pipe_.valid()) {
    left_pipes_.push_back(std::move(pipe_));
  }
  pipe_.Close();
  look_at_ = kNever;
  paused_at_ = kNever;
  masked_.clear();
  masker_.Finish(masked_);
  Append(masked_);
  return spool_.Finish();
}

void CommandOutput::DropLeftRunning() {
  left_pipes_.clear();
}

void CommandOutput::AddTo(std::vector<pollfd>& polled) {
  const bool has_room = !pipe_.valid() || spool_.HasRoom();
  look_at_ = has_room ? kNever : MonotonicMicros() + kRoomWaitMicros;
  polled.push_back({.fd = has_room ? pipe_.get() : -1, .events = POLLIN});
  for (const FileDescriptor& pipe : left_pipes_) {
    polled.push_back({.fd = pipe.get(), .events = POLLIN});
  }
}

void CommandOutput::Take(std::span<const pollfd> polled) {
  if (polled.front().revents != 0) {
    ReadPipe();
  }
  const auto left = polled.subspan(1);
  for (std::size_t i = 0; i < left.size(); ++i) {
    auto& pipe = left_pipes_[i];
    if (left[i].revents != 0 && read(pipe.get(), buffer_.data(), buffer_.size()) == 0) {
      pipe.Close();
    }
  }
  std::erase_if(left_pipes_, [](const FileDescriptor& pipe) { return !pipe.valid(); });
}

std::int64_t CommandOutput::settle_at() const {
  return std::min(paused_at_, look_at_);
}

void CommandOutput::Settle() {
  if (MonotonicMicros() < paused_at_) {
    return;
  }
  paused_at_ = kNever;
  masked_.clear();
  masker_.GiveOut(masked_);
  Append(masked_);
}

void CommandOutput::ReadPipe() {
  const auto bytes = read(pipe_.get(), buffer_.data(), buffer_.size());
  if (bytes > 0) {
    Keep({buffer_.data(), static_cast<std::size_t>(bytes)});
  } else if (bytes == 0 || (errno != EINTR && errno != EAGAIN)) {
    pipe_.Close();
  }
}

/// Reads what is in the pipe when the main process has ended. Not until its end: another process
/// may hold it open.
void CommandOutput::DrainPipe() {
  int there = 0;
  if (pipe_.valid()) {
    ioctl(pipe_.get(), FIONREAD, &there);
  }
  auto left = static_cast<std::size_t>(std::max(there, 0));
  while (left > 0) {
    const auto bytes = read(pipe_.get(), buffer_.data(), std::min(left, buffer_.size()));
    if (bytes <= 0) {
      break;
    }
    Keep({buffer_.data(), static_cast<std::size_t>(bytes)});
    left -= static_cast<std::size_t>(bytes);
  }
}

void CommandOutput::Append(std::span<const char> masked) {
  annotations_.Feed({masked.data(), masked.size()});
  spool_.Append(masked);
}

void CommandOutput::Keep(std::span<const char> bytes) {
  if (masker_.is_idle()) {
    Append(bytes);
    return;
  }
  masked_.clear();
  masker_.Feed({bytes.data(), bytes.size()}, masked_);
  Append(masked_);
  paused_at_ = masker_.holds() ? MonotonicMicros() + kPauseMicros : kNever;
}

}  // namespace executors::sandboxes
