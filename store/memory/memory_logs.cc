// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_logs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/base/checksum.h"

namespace store::memory {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

constexpr std::size_t kPieceBytesMax = 256 << 10;

}  // namespace

model::LogState MemoryLogs::Log::state() const {
  return {.marks = {.received = bytes.size(),
                    .archived = archived,
                    .ended = end.has_value(),
                    .complete = end.has_value(),
                    .cut = end.has_value() && end->cut},
          .end = end};
}

base::Status MemoryLogs::Add(const model::LogKey& key, std::uint64_t offset,
                             const std::string& bytes) {
  const auto found = logs_.find(key);
  const std::uint64_t received = found == logs_.end() ? 0 : found->second.bytes.size();
  const bool has_ended =
      found != logs_.end() && found->second.end.has_value() && !found->second.end->cut;
  if (bytes.size() > ports::kLogBatchBytesMax) {
    return base::InvalidArgument("a batch of {} bytes", bytes.size());
  }
  if (offset > received || (has_ended && offset + bytes.size() > received)) {
    return base::FailedPrecondition("bytes {} to {} of a log of {}", offset, offset + bytes.size(),
                                    received);
  }
  if (offset + bytes.size() > received) {
    Log& log = logs_[key];
    log.bytes += bytes.substr(received - offset);
    log.end.reset();
  }
  return base::OkStatus();
}

base::Status MemoryLogs::Close(const model::LogKey& key, model::LogEnd end) {
  RETURN_IF_ERROR(model::CheckEnd(end));
  Log& log = logs_[key];
  if (log.end && !log.end->cut) {
    end.damaged = log.end->damaged;
    if (end != *log.end) {
      return base::AlreadyExists("the log has ended at {}", log.end->length);
    }
  } else if (model::KeptLength(end) != log.bytes.size()) {
    return base::FailedPrecondition("{} bytes have arrived", log.bytes.size());
  } else {
    const std::uint32_t checksum = base::Crc32(0, log.bytes);
    end.checksum = end.cut ? checksum : end.checksum;
    end.damaged = checksum != end.checksum;
    log.end = end;
    log.archived = log.bytes.size();
  }
  return end.damaged ? base::DataLoss("the checksum differs") : base::OkStatus();
}

void MemoryLogs::Reply(const model::LogKey& log, const base::Status& status, const Answer& answer) {
  model::LogMarks marks;
  if (const auto found = logs_.find(log); found != logs_.end()) {
    marks = found->second.state().marks;
  }
  post_([answer, status, marks] {
    answer(status.ok() ? base::StatusOr<model::LogMarks>(marks) : status);
  });
  if (listener_ && marks.archived > 0) {
    post_([listener = listener_, log, marks] { listener(log, marks); });
  }
  WakeReaders();
}

void MemoryLogs::Append(const model::LogKey& log, std::uint64_t offset, std::string bytes,
                        Answer answer) {
  const std::lock_guard lock(mutex_);
  Reply(log, Add(log, offset, bytes), answer);
}

void MemoryLogs::End(const model::LogKey& log, const model::LogEnd& end, Answer answer) {
  const std::lock_guard lock(mutex_);
  Reply(log, Close(log, end), answer);
}

void MemoryLogs::Abandon(const model::LogKey& key, std::uint64_t length) {
  const std::lock_guard lock(mutex_);
  Cut(logs_[key], length);
}

void MemoryLogs::AbandonOthers(const model::AttemptKey& attempt,
                               const std::set<model::StepIndex>& named) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, log] : logs_) {
    if (key.attempt == attempt && !named.contains(key.step)) {
      Cut(log, 0);
    }
  }
}

void MemoryLogs::Cut(Log& log, std::uint64_t length) {
  if (log.end) {
    return;
  }
  const std::uint64_t received = log.bytes.size();
  log.end = model::LogEnd{
      .length = std::max(received, length), .checksum = base::Crc32(0, log.bytes), .cut = true};
  if (length > received) {
    log.end->lost = {{received, length}};
  }
  WakeReaders();
}

base::StatusOr<model::LogMarks> MemoryLogs::Marks(const model::LogKey& log) {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(log);
  return found == logs_.end() ? model::LogMarks{} : found->second.state().marks;
}

base::StatusOr<std::map<model::LogKey, model::LogState>> MemoryLogs::List(
    const ports::LogSelection& selection) {
  const std::lock_guard lock(mutex_);
  std::map<model::LogKey, model::LogState> states;
  for (const auto& [key, log] : logs_) {
    if (Selects(selection, key)) {
      states.emplace(key, log.state());
    }
  }
  return states;
}

/// Looks through all logs each time. Everything under the store's lock.
class MemoryLogs::Reader {
 public:
  explicit Reader(ports::LogRequest request) : request_(std::move(request)) {}

  void Ask(ports::LogReader::Handler handler) { handler_ = std::move(handler); }
  void Settle(std::vector<model::LogKey> expected) {
    settled_ = true;
    expected_ = std::move(expected);
    std::erase_if(expected_, [this](const auto& log) { return !Selects(request_.logs, log); });
  }

  void Look(const MemoryLogs& logs) {
    if (handler_ == nullptr) {
      return;
    }
    auto piece = Find(logs.logs_);
    if (piece.has_value() || IsOver(logs.logs_)) {
      logs.post_([handler = std::exchange(handler_, nullptr), piece = std::move(piece)] {
        handler(piece);
      });
    }
  }

 private:
  using Logs = std::map<model::LogKey, Log>;

  std::optional<ports::LogPiece> Find(const Logs& logs) {
    for (const auto& [key, log] : logs) {
      if (!Selects(request_.logs, key)) {
        continue;
      }
      const auto [at, is_new] = at_.try_emplace(key, BeginOf(key, log));
      const auto length = std::min<std::uint64_t>(
          kPieceBytesMax, log.bytes.size() - std::min<std::uint64_t>(at->second, log.bytes.size()));
      const bool ends = log.end.has_value() && at->second + length >= log.bytes.size();
      if (length == 0 && (!ends || told_end_.contains(key))) {
        continue;
      }
      ports::LogPiece piece{.log = key, .offset = at->second};
      piece.block = std::make_shared<const std::string>(
          length == 0 ? std::string() : log.bytes.substr(at->second, length));
      piece.bytes = *piece.block;
      at->second += length;
      if (ends) {
        piece.end = log.end;
        told_end_.insert(key);
      }
      return piece;
    }
    return std::nullopt;
  }

  std::uint64_t BeginOf(const model::LogKey& key, const Log& log) const {
    if (const auto from = request_.from.find(key); from != request_.from.end()) {
      return from->second;
    }
    if (!request_.tail_lines) {
      return 0;
    }
    std::uint64_t lines = *request_.tail_lines;
    std::size_t at = log.bytes.size();
    while (at > 0 && lines > 0) {
      const std::size_t before = at < 2 ? std::string::npos : log.bytes.rfind('\n', at - 2);
      at = before == std::string::npos ? 0 : before + 1;
      --lines;
    }
    return at;
  }

  bool IsOver(const Logs& logs) const {
    const auto has_ended = [&](const model::LogKey& log) { return told_end_.contains(log); };
    const bool is_one_log = request_.logs.job && request_.logs.attempt && request_.logs.step;
    return !request_.follow || (is_one_log && !told_end_.empty()) ||
           (settled_ && std::ranges::all_of(expected_, has_ended) &&
            std::ranges::all_of(logs, [&](const auto& log) {
              return !Selects(request_.logs, log.first) || has_ended(log.first);
            }));
  }

  const ports::LogRequest request_;
  ports::LogReader::Handler handler_;
  bool settled_ = false;
  std::vector<model::LogKey> expected_;
  std::map<model::LogKey, std::uint64_t> at_;
  std::set<model::LogKey> told_end_;
};

void MemoryLogs::WakeReaders() {
  std::erase_if(readers_, [](const auto& reader) { return reader.expired(); });
  for (const auto& weak : readers_) {
    if (const auto reader = weak.lock()) {
      reader->Look(*this);
    }
  }
}

std::unique_ptr<ports::LogReader> MemoryLogs::Open(ports::LogRequest request) {
  class Handle : public ports::LogReader {
   public:
    Handle(MemoryLogs& logs, std::shared_ptr<Reader> reader)
        : logs_(logs), reader_(std::move(reader)) {}
    void Next(Handler handler) override {
      const std::lock_guard lock(logs_.mutex_);
      // Handed on only while this is there.
      reader_->Ask([weak = std::weak_ptr(reader_), handler = std::move(handler)](auto piece) {
        if (!weak.expired()) {
          handler(std::move(piece));
        }
      });
      reader_->Look(logs_);
    }
    void Settle(std::vector<model::LogKey> expected) override {
      const std::lock_guard lock(logs_.mutex_);
      reader_->Settle(std::move(expected));
      reader_->Look(logs_);
    }

   private:
    MemoryLogs& logs_;
    std::shared_ptr<Reader> reader_;
  };
  const std::lock_guard lock(mutex_);
  auto reader = std::make_shared<Reader>(std::move(request));
  readers_.push_back(reader);
  return std::make_unique<Handle>(*this, std::move(reader));
}

}  // namespace store::memory
