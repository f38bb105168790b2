// SPDX-License-Identifier: Apache-2.0
#include "agents/logs/log_shipper.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>

#include "engine/base/log.h"

namespace agents::logs {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;

namespace {

using Clock = std::chrono::steady_clock;

/// Only ever compared with others of the kind.
base::Instant Now() {
  return base::Instant(std::chrono::duration_cast<base::Duration>(Clock::now().time_since_epoch()));
}

model::LogTag TagOf(const model::LogKey& key) {
  return {.job = key.attempt.job.value(), .attempt = key.attempt.attempt, .step = key.step.value()};
}

model::LogEnd EndFrom(const model::StepLog& log) {
  const std::uint64_t kept = LengthOf(log);
  model::LogEnd end{
      .length = kept + log.lost_bytes, .checksum = log.checksum, .truncated = log.truncated};
  if (log.lost_bytes > 0) {
    end.lost = {{kept, end.length}};
  }
  return end;
}

}  // namespace

LogShipper::LogShipper(asio::io_context& io, LogShipperOptions options)
    : io_(io),
      options_(std::move(options)),
      folder_(options_.folder),
      policy_(options_.shipping),
      watch_(io),
      timer_(io) {}

LogShipper::~LogShipper() = default;

base::Status LogShipper::Open() {
  RETURN_IF_ERROR(unshipped_.Open(options_.notes));
  for (const auto& [key, left] : unshipped_.logs()) {
    policy_.Known(key, folder_.GoneBefore(left.log));
    policy_.Ended(key, EndFrom(left.log));
  }
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    return base::FromErrno(errno, "inotify");
  }
  watch_.assign(fd);
  if (inotify_add_watch(fd, options_.folder.c_str(), IN_MODIFY | IN_ONLYDIR) < 0) {
    return base::FromErrno(errno, "watch " + options_.folder);
  }
  Watch();
  // What was printed while nobody watched.
  asio::post(io_, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) {
      Look();
    }
  });
  return base::OkStatus();
}

void LogShipper::Watch() {
  watch_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
                      if (error || alive.expired()) {
                        return;
                      }
                      // Which file it was does not matter: there is one look for all that came.
                      std::array<char, 4096> events{};
                      while (::read(watch_.native_handle(), events.data(), events.size()) > 0) {
                      }
                      Look();
                      Watch();
                    });
}

SpoolPosition LogShipper::PositionOf(std::uint32_t slot) const {
  const auto found = unshipped_.positions().find(slot);
  return found == unshipped_.positions().end() ? SpoolPosition{model::SegmentNumber(slot, 0), 0}
                                               : found->second;
}

void LogShipper::StepStarted(std::uint32_t slot, const model::LogKey& log) {
  running_.insert_or_assign(slot, Running{.key = log});
  if (const base::Status noted = unshipped_.Begin(slot, log); !noted.ok()) {
    spdlog::error("the log of a step may be lost with the agent: {}", base::Message(noted));
  }
}

void LogShipper::StepEnded(std::uint32_t slot, const model::LogKey& key,
                           const model::StepLog& log) {
  running_.erase(slot);
  if (log.ranges.empty() && log.lost_bytes == 0) {
    policy_.Forget(key);
    return;
  }
  const base::Status noted = unshipped_.Add(key, {.slot = slot, .log = log});
  if (!noted.ok()) {
    // It is shipped all the same, unless this process ends before it is.
    spdlog::error("the log of a step may be lost with the agent: {}", base::Message(noted));
  }
  policy_.Ended(key, EndFrom(log));
  Ship();
}

void LogShipper::StepLost(std::uint32_t slot) {
  const auto found = running_.find(slot);
  if (found == running_.end()) {
    return;
  }
  policy_.Forget(found->second.key);
  running_.erase(found);
}

void LogShipper::CutWhatRan() {
  for (const auto& [slot, begun] : unshipped_.begun()) {
    Running running{.key = begun.key, .log = {}, .is_cut = true};
    LookAt(slot, running);
    if (const std::uint64_t length = LengthOf(running.log); length > 0) {
      policy_.Ended(begun.key, {.length = length, .cut = true});
      running_.insert_or_assign(slot, std::move(running));
    }
  }
  Ship();
}

void LogShipper::Connected() {
  policy_.Connected();
  Ship();
}

void LogShipper::Disconnected() {
  policy_.Disconnected();
  timer_.cancel();
}

void LogShipper::Answered(const model::LogKey& log, const LogAnswer& answer) {
  policy_.Answered(log, answer);
  if (policy_.IsDone(log)) {
    unshipped_.Remove(log);
    std::erase_if(running_, [&](const auto& entry) {
      return entry.second.is_cut && entry.second.key == log;
    });
  }
  Free();
  Ship();
}

void LogShipper::Look() {
  for (auto& [slot, running] : running_) {
    LookAt(slot, running);
  }
  Ship();
}

void LogShipper::LookAt(std::uint32_t slot, Running& running) {
  const auto begun = unshipped_.begun().find(slot);
  const auto freed = begun == unshipped_.begun().end() ? std::nullopt : begun->second.freed;
  const bool is_new = running.log.ranges.empty();
  if (folder_.Extend(slot, TagOf(running.key), PositionOf(slot), freed, running.log)) {
    if (is_new) {
      policy_.Known(running.key, folder_.GoneBefore(running.log));
    }
    policy_.Grown(running.key, LengthOf(running.log), Now());
  }
}

const model::StepLog* LogShipper::LogOf(const model::LogKey& key) const {
  if (const auto left = unshipped_.logs().find(key); left != unshipped_.logs().end()) {
    return &left->second.log;
  }
  const auto running =
      std::ranges::find_if(running_, [&](const auto& entry) { return entry.second.key == key; });
  return running == running_.end() ? nullptr : &running->second.log;
}

void LogShipper::Ship() {
  while (const auto shipment = policy_.Next(Now())) {
    Perform(*shipment);
  }
  SetTimer();
}

void LogShipper::Perform(const Shipment& shipment) {
  if (const auto* end = std::get_if<SendEnd>(&shipment)) {
    options_.send_end(end->log, end->end);
    return;
  }
  const auto& batch = std::get<SendBytes>(shipment);
  const model::StepLog* const log = LogOf(batch.log);
  auto bytes = log == nullptr ? base::StatusOr<std::string>(base::DataLoss("nobody knows it"))
                              : options_.spool->Read(*log, batch.offset, batch.length);
  if (bytes.ok() && bytes->size() != batch.length) {
    bytes = base::DataLoss("{} bytes, not {}", bytes->size(), batch.length);
  }
  if (bytes.ok()) {
    options_.send_bytes(batch.log, batch.offset, *std::move(bytes));
    return;
  }
  spdlog::error("a log in the spool cannot be read from byte {} on: {}", batch.offset,
                base::Message(bytes.status()));
  policy_.Lost(batch.log, batch.offset);
}

void LogShipper::SetTimer() {
  timer_.cancel();
  const auto due = policy_.NextDeadline();
  if (!due) {
    return;
  }
  timer_.expires_at(Clock::time_point(due->time_since_epoch()));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (!error && !alive.expired()) {
      Ship();
    }
  });
}

/// Each slot's segments before the first byte that somebody still needs.
void LogShipper::Free() {
  std::map<std::uint32_t, std::uint32_t> needed;
  for (const auto& [slot, position] : unshipped_.positions()) {
    needed[slot] = position.segment;
  }
  for (const auto& [slot, running] : running_) {
    if (!running.log.ranges.empty()) {
      needed[slot] = SegmentAt(running.log, policy_.Archived(running.key));
    }
  }
  for (const auto& [key, left] : unshipped_.logs()) {
    std::uint32_t& segment = needed[left.slot];
    segment = std::min(segment, SegmentAt(left.log, policy_.Archived(key)));
  }
  for (const auto& [slot, segment] : needed) {
    if (std::uint32_t& freed = freed_to_[slot]; freed < segment && NoteFreed(slot, segment)) {
      folder_.RemoveBefore(slot, segment);
      freed = segment;
    }
  }
}

// How long the log of a running step is before a segment could not be told without those before it.
bool LogShipper::NoteFreed(std::uint32_t slot, std::uint32_t segment) {
  const auto running = running_.find(slot);
  if (running == running_.end()) {
    return true;
  }
  FreedSegments freed{.segment = segment};
  for (const model::LogRange& range : running->second.log.ranges) {
    freed.before += range.segment < segment ? range.length : 0;
  }
  return freed.before == 0 || unshipped_.Free(slot, freed).ok();
}

}  // namespace agents::logs
