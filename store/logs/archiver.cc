// SPDX-License-Identifier: Apache-2.0
#include "store/logs/archiver.h"

#include <algorithm>
#include <utility>

#include "engine/base/checksum.h"
#include "engine/base/log.h"
#include "store/logs/frame.h"

namespace store::logs {

namespace base = engine::base;
namespace model = engine::model;

namespace {

constexpr std::size_t kFilesOpenMax = 64;
constexpr std::uint64_t kRoundBytesMax = 16 << 20;

/// Bytes of the logs that some parts hold.
template <typename Parts>
std::uint64_t BytesOf(const Parts& parts) {
  std::uint64_t bytes = 0;
  for (const auto& part : parts) {
    for (const Extent& extent : part.extents) {
      bytes += extent.length;
    }
  }
  return bytes;
}

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Archiver::Archiver(ArchiverOptions options, const ArchiveFolder& archive, LogBook& book,
                   Arrivals& arrivals)
    : options_(options), archive_(archive), book_(book), arrivals_(arrivals) {}

Archiver::~Archiver() {
  Close();
}

void Archiver::Close() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Archiver::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Archiver::OnArchived(engine::ports::LogSink::ArchivedListener listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void Archiver::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

base::Status Archiver::ArchiveAll() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++asked_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return done_ >= mine || stopped_; });
  return last_;
}

void Archiver::Run() {
  SteadyTime next = Now();
  std::unique_lock lock(mutex_);
  while (true) {
    const auto called = [this] { return stopped_ || woken_ || asked_ > done_; };
    if (next == SteadyTime::max()) {
      changed_.wait(lock, called);
    } else {
      changed_.wait_until(lock, next, called);
    }
    if (stopped_) {
      return;
    }
    woken_ = false;
    const std::uint64_t asked = asked_;
    const bool all = asked > done_;
    lock.unlock();
    base::Status status;
    next = Pass(all, status);
    lock.lock();
    done_ = asked;
    last_ = status;
    changed_.notify_all();
  }
}

bool Archiver::IsUrgent(const StoredLog& log) const {
  return log.progress().received - log.archived() >= options_.urgent_bytes;
}

SteadyTime Archiver::Pass(bool all, base::Status& status) {
  const SteadyTime now = Now();
  SteadyTime next = SteadyTime::max();
  std::vector<std::pair<model::RunId, bool>> runs;
  book_.VisitAll([&](model::RunId id, RunLogs& run) {
    if (run.unarchived.empty()) {
      return;
    }
    const bool is_due = all || run.waits_since <= now - options_.after;
    if (is_due || std::ranges::any_of(run.unarchived, [&](const model::LogKey& log) {
          return IsUrgent(run.logs.at(log));
        })) {
      runs.emplace_back(id, is_due);
    } else {
      next = std::min(next, run.waits_since + options_.after);
    }
  });
  for (const auto& [run, is_due] : runs) {
    const base::Status archived = ArchiveRun(run, is_due);
    if (!archived.ok()) {
      spdlog::warn("archive of run {}: {}", ToText(run), base::Message(archived));
      status = archived;
    }
    next = std::min(next, now + (archived.ok() ? options_.after : options_.again));
  }
  arrivals_.RemoveArchived();
  book_.Forget(now - options_.forget_after);
  return next;
}

std::vector<Archiver::Part> Archiver::PartsOf(model::RunId run, bool is_due) {
  std::vector<Part> parts;
  const base::Status status = book_.Visit(run, [&](RunLogs& logs) {
    std::uint64_t bytes = 0;
    for (const model::LogKey& key : logs.unarchived) {
      const StoredLog& log = logs.logs.at(key);
      if (!is_due && !IsUrgent(log)) {
        continue;
      }
      Part part{.log = key, .until = log.archived()};
      for (auto extent = log.extents().lower_bound(log.archived());
           extent != log.extents().end() && bytes < kRoundBytesMax; ++extent) {
        bytes += extent->second.length;
        part.until = extent->second.end();
        part.extents.push_back(extent->second);
      }
      if (part.until == log.progress().received && log.end_file()) {
        part.end = log.progress().end;
      }
      parts.push_back(std::move(part));
      if (bytes >= kRoundBytesMax) {
        break;
      }
    }
  });
  if (!status.ok()) {
    spdlog::warn("archive of run {}: {}", ToText(run), base::Message(status));
  }
  return parts;
}

base::StatusOr<std::shared_ptr<RecordFile>> Archiver::FileOf(model::RunId run) {
  const auto found = files_.find(run);
  if (found != files_.end() && !found->second->is_broken()) {
    return found->second;
  }
  if (files_.size() >= kFilesOpenMax) {
    files_.erase(files_.begin());
  }
  ASSIGN_OR_RETURN(auto file, archive_.Create(run));
  files_.insert_or_assign(run, file);
  return file;
}

/// In rounds, so that what is packed has room in memory.
base::Status Archiver::ArchiveRun(model::RunId run, bool is_due) {
  for (bool more = true; more;) {
    const std::vector<Part> parts = PartsOf(run, is_due);
    more = BytesOf(parts) >= kRoundBytesMax;
    if (!parts.empty()) {
      RETURN_IF_ERROR(ArchiveParts(run, parts));
    }
  }
  return base::OkStatus();
}

base::Status Archiver::ArchiveParts(model::RunId run, const std::vector<Part>& parts) {
  ASSIGN_OR_RETURN(const std::shared_ptr<RecordFile> file, FileOf(run));
  std::vector<Packed> packed;
  for (const Part& part : parts) {
    packed.push_back(PackLog(part, *file));
    for (Extent& frame : packed.back().frames) {
      frame.file = file;
    }
  }
  RETURN_IF_ERROR(file->Write());
  TakeIn(run, std::move(packed));
  return base::OkStatus();
}

/// Gathers frames of the log's bytes, and its end. What cannot be read is left out; readers are
/// told that it is missing.
Archiver::Packed Archiver::PackLog(const Part& part, RecordFile& file) const {
  Packed packed{.log = part.log, .until = part.until, .end = part.end};
  std::string bytes;
  std::uint64_t begin = 0;
  const auto pack = [&] {
    for (std::string_view left = bytes; !left.empty();) {
      const std::string_view piece = left.substr(0, kFrameBytes);
      left.remove_prefix(piece.size());
      const std::string frame = Pack(piece);
      Extent extent{.begin = begin, .length = piece.size()};
      extent.record = {.kind = RecordKind::kFrame,
                       .log = part.log,
                       .offset = begin,
                       .length = static_cast<std::uint32_t>(piece.size()),
                       .stored = static_cast<std::uint32_t>(frame.size()),
                       .checksum = base::Crc32(0, piece)};
      extent.position = file.Gather(extent.record, frame);
      packed.frames.push_back(std::move(extent));
      begin += piece.size();
    }
    bytes.clear();
  };
  for (const Extent& extent : part.extents) {
    if (bytes.empty() || begin + bytes.size() != extent.begin) {
      pack();
      begin = extent.begin;
    }
    auto read = extent.memory ? base::StatusOr<std::string>(*extent.memory) : ReadRecord(extent);
    if (read.ok()) {
      bytes += std::string_view(*read).substr(extent.skip, extent.length);
      if (bytes.size() >= 4 * kFrameBytes) {
        pack();
      }
    } else {
      spdlog::error("{}", base::Message(read.status()));
    }
  }
  pack();
  if (part.end) {
    const std::string payload = EncodeEnd(*part.end);
    file.Gather(EndRecord(part.log, payload), payload);
  }
  return packed;
}

void Archiver::TakeIn(model::RunId id, std::vector<Packed> packed) {
  std::vector<std::pair<model::LogKey, model::LogMarks>> grown;
  const base::Status status = book_.Visit(id, [&](RunLogs& run) {
    for (Packed& part : packed) {
      StoredLog& log = run.logs[part.log];
      log.Archive(std::move(part.frames), part.until, part.end);
      if (log.is_archived()) {
        run.unarchived.erase(part.log);
      }
      grown.emplace_back(part.log, log.state().marks);
    }
    run.waits_since = run.unarchived.empty() ? SteadyTime::max() : Now();
  });
  if (!status.ok()) {
    spdlog::error("logs: {}", base::Message(status));
    return;
  }
  engine::ports::LogSink::ArchivedListener listener;
  {
    const std::lock_guard lock(mutex_);
    listener = listener_;
  }
  for (const auto& [log, marks] : grown) {
    if (listener) {
      listener(log, marks);
    }
  }
}

}  // namespace store::logs
