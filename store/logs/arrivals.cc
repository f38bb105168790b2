// SPDX-License-Identifier: Apache-2.0
#include "store/logs/arrivals.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "engine/base/checksum.h"
#include "engine/base/log.h"

namespace store::logs {

namespace base = engine::base;
namespace model = engine::model;

struct Arrivals::Group {
  struct Part {
    model::LogKey log;
    std::optional<Extent> extent;
    Progress after;
  };
  struct Reply {
    Answer answer;
    model::LogKey log;
    base::Status status;  ///< other than that of the flush
  };
  std::map<model::LogKey, Progress> progress;
  std::vector<Part> parts;
  std::vector<Reply> replies;
};

Arrivals::Arrivals(ArrivalsOptions options, LogBook& book, std::function<void()> grown)
    : options_(std::move(options)), book_(book), grown_(std::move(grown)) {}

Arrivals::~Arrivals() {
  Close();
}

void Arrivals::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

base::Status Arrivals::Open() {
  RETURN_IF_ERROR(MakeFolder(options_.folder));
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    if (entry.path().extension() == ".log") {
      paths.push_back(entry.path());
    }
  }
  if (error) {
    return base::FromErrno(error.value(), "list " + options_.folder);
  }
  FoundLogs found;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(std::shared_ptr<RecordFile> file, RecordFile::Open(path));
    RETURN_IF_ERROR(AddRecords(file, false, found));
    files_.push_back(std::move(file));
  }
  RETURN_IF_ERROR(book_.Recover(std::move(found)));
  thread_ = std::thread([this] { Run(); });
  return base::OkStatus();
}

void Arrivals::Enqueue(Order order, std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    // Those that are too much are answered by the thread as well, never from inside the call.
    if (queue_bytes_ + bytes > options_.queue_bytes_max) {
      if (auto* batch = std::get_if<Batch>(&order.what)) {
        batch->bytes = std::string();
        bytes = 0;
        order.answer = [answer = std::move(order.answer)](const auto&) {
          answer(base::ResourceExhausted("too many log bytes wait for the disk"));
        };
      }
    }
    queue_bytes_ += bytes;
    queue_.push_back(std::move(order));
  }
  changed_.notify_one();
}

void Arrivals::Append(const model::LogKey& log, std::uint64_t offset, std::string bytes,
                      Answer answer) {
  const std::uint64_t size = bytes.size();
  Enqueue({.what = Batch{log, offset, std::move(bytes)}, .answer = std::move(answer)}, size);
}

void Arrivals::End(const model::LogKey& log, model::LogEnd end, Answer answer) {
  Enqueue({.what = Ending{log, std::move(end)}, .answer = std::move(answer)}, 0);
}

void Arrivals::Abandon(const model::LogKey& log, std::uint64_t length) {
  Enqueue({.what = Abandoned{log, length}, .answer = nullptr}, 0);
}

void Arrivals::AbandonOthers(const model::AttemptKey& attempt, std::set<model::StepIndex> named) {
  Enqueue({.what = OthersAbandoned{attempt, std::move(named)}, .answer = nullptr}, 0);
}

void Arrivals::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    std::vector<Order> orders = std::exchange(queue_, {});
    queue_bytes_ = 0;
    const bool closing = closed_;
    lock.unlock();
    if (closing) {
      for (const Order& order : orders) {
        if (order.answer) {
          order.answer(base::Unavailable("the server's logs are closed"));
        }
      }
      return;
    }
    Perform(std::move(orders));
    lock.lock();
  }
}

void Arrivals::Perform(std::vector<Order> orders) {
  Group group;
  const base::Status file = EnsureFile();
  for (Order& order : orders) {
    if (!file.ok()) {
      if (order.answer) {
        order.answer(file);
      }
      continue;
    }
    if (auto* batch = std::get_if<Batch>(&order.what)) {
      Take(*batch, group, std::move(order.answer));
    } else if (auto* ending = std::get_if<Ending>(&order.what)) {
      Take(*ending, group, std::move(order.answer));
    } else if (const auto* log = std::get_if<Abandoned>(&order.what)) {
      Take(*log, group);
    } else {
      Take(std::get<OthersAbandoned>(order.what), group);
    }
  }
  Commit(group);
}

base::StatusOr<Progress*> Arrivals::ProgressOf(const model::LogKey& log, Group& group) {
  const auto made = group.progress.try_emplace(log);
  const auto found = made.first;
  if (made.second) {
    const auto status = book_.Visit(log.attempt.run, [&](RunLogs& run) {
      const auto stored = run.logs.find(log);
      found->second = stored == run.logs.end() ? Progress{} : stored->second.progress();
    });
    if (!status.ok()) {
      group.progress.erase(found);
      return status;
    }
  }
  return &found->second;
}

void Arrivals::Take(Batch& batch, Group& group, Answer answer) {
  if (batch.bytes.size() > engine::ports::kLogBatchBytesMax) {
    answer(base::InvalidArgument("a batch of {} bytes; the most are {}", batch.bytes.size(),
                                 engine::ports::kLogBatchBytesMax));
    return;
  }
  auto progress = ProgressOf(batch.log, group);
  if (progress.ok() && batch.offset > (*progress)->received) {
    // A gap; perhaps an earlier server archived what stands in it when this one had begun already.
    const bool pending = std::ranges::any_of(
        group.parts, [&](const Group::Part& part) { return part.log == batch.log; });
    if (!pending && book_.Reload(batch.log.attempt.run).ok()) {
      group.progress.erase(batch.log);
      progress = ProgressOf(batch.log, group);
    }
  }
  auto fresh = progress.ok() ? (*progress)->Take(batch.offset, batch.bytes)
                             : base::StatusOr<std::string_view>(progress.status());
  group.replies.push_back({std::move(answer), batch.log, fresh.status()});
  if (!fresh.ok() || fresh->empty()) {
    return;
  }
  auto bytes = std::make_shared<const std::string>(
      fresh->size() == batch.bytes.size() ? std::move(batch.bytes) : std::string(*fresh));
  Extent extent{.begin = (*progress)->received - bytes->size(), .length = bytes->size()};
  extent.record = {.kind = RecordKind::kBytes,
                   .log = batch.log,
                   .offset = extent.begin,
                   .length = static_cast<std::uint32_t>(bytes->size()),
                   .stored = static_cast<std::uint32_t>(bytes->size()),
                   .checksum = base::Crc32(0, *bytes)};
  extent.file = current_;
  extent.position = current_->Gather(extent.record, *bytes);
  extent.memory = std::move(bytes);
  group.parts.push_back({batch.log, std::move(extent), **progress});
}

void Arrivals::Take(Ending& ending, Group& group, Answer answer) {
  auto progress = ProgressOf(ending.log, group);
  base::Status status = progress.status();
  if (progress.ok() && !(*progress)->checksum) {
    status = WorkOutChecksum(ending.log, **progress, group);
  }
  if (status.ok()) {
    auto taken = (*progress)->Take(std::move(ending.end));
    status = taken.status();
    if (taken.ok() && taken->has_value()) {
      GatherEnd(ending.log, **taken, group);
    }
    if (taken.ok() && (*progress)->end->damaged) {
      status = base::DataLoss("what arrived of the log does not match its checksum");
    }
  }
  group.replies.push_back({std::move(answer), ending.log, status});
}

void Arrivals::Take(const Abandoned& abandoned, Group& group) {
  const auto progress = ProgressOf(abandoned.log, group);
  if (!progress.ok()) {
    spdlog::warn("logs: {}", base::Message(progress.status()));
    return;
  }
  if ((*progress)->end) {
    return;
  }
  const std::uint64_t received = (*progress)->received;
  model::LogEnd end{.length = std::max(received, abandoned.length),
                    .checksum = (*progress)->checksum.value_or(0),
                    .cut = true};
  if (end.length > received) {
    end.lost = {{received, end.length}};
  }
  (*progress)->end = std::move(end);
  GatherEnd(abandoned.log, *(*progress)->end, group);
}

// Those that are known, and those that begin in this very group.
void Arrivals::Take(const OthersAbandoned& abandoned, Group& group) {
  const model::AttemptKey& attempt = abandoned.attempt;
  std::set<model::LogKey> logs;
  const auto add = [&](const model::LogKey& log) {
    if (log.attempt == attempt && !abandoned.named.contains(log.step)) {
      logs.insert(log);
    }
  };
  const auto status = book_.Visit(attempt.run, [&](RunLogs& run) {
    const model::LogKey first{.attempt = attempt, .step = model::StepIndex(0)};
    for (auto log = run.logs.lower_bound(first);
         log != run.logs.end() && log->first.attempt == attempt; ++log) {
      add(log->first);
    }
  });
  if (!status.ok()) {
    spdlog::warn("logs: {}", base::Message(status));
  }
  for (const Group::Part& part : group.parts) {
    add(part.log);
  }
  for (const model::LogKey& log : logs) {
    Take(Abandoned{log, 0}, group);
  }
}

/// Only needed for logs of which two servers wrote parts that overlap.
base::Status Arrivals::WorkOutChecksum(const model::LogKey& log, Progress& progress,
                                       const Group& group) {
  std::vector<Extent> extents;
  RETURN_IF_ERROR(book_.Visit(log.attempt.run, [&](RunLogs& run) {
    for (const auto& [begin, extent] : run.logs[log].extents()) {
      extents.push_back(extent);
    }
  }));
  for (const Group::Part& part : group.parts) {
    if (part.log == log && part.extent) {
      extents.push_back(*part.extent);
    }
  }
  std::uint32_t checksum = 0;
  for (const Extent& extent : extents) {
    base::StatusOr<std::string> bytes =
        extent.memory ? base::StatusOr<std::string>(*extent.memory) : ReadRecord(extent);
    RETURN_IF_ERROR(bytes.status());
    checksum = base::Crc32(checksum, std::string_view(*bytes).substr(extent.skip, extent.length));
  }
  progress.checksum = checksum;
  return base::OkStatus();
}

void Arrivals::GatherEnd(const model::LogKey& log, const model::LogEnd& end, Group& group) {
  const std::string payload = EncodeEnd(end);
  current_->Gather(EndRecord(log, payload), payload);
  group.parts.push_back({log, std::nullopt, group.progress.at(log)});
}

base::Status Arrivals::EnsureFile() {
  if (current_ && !current_->is_broken() && current_->size() < options_.file_bytes_max) {
    return base::OkStatus();
  }
  while (true) {
    auto file = RecordFile::Create(
        fmt::format("{}/{}-{}.log", options_.folder, options_.epoch.value(), next_file_++));
    if (file.ok()) {
      const std::lock_guard lock(mutex_);
      current_ = *std::move(file);
      files_.push_back(current_);
      return base::OkStatus();
    }
    if (file.status().code() != absl::StatusCode::kAlreadyExists) {
      return file.status();
    }
  }
}

/// Durable first, then known, then told.
void Arrivals::Commit(Group& group) {
  const base::Status written = group.parts.empty() ? base::OkStatus() : current_->Write();
  std::vector<std::function<void()>> woken;
  bool grown = false;
  for (Group::Part& part : group.parts) {
    if (!written.ok()) {
      break;
    }
    const auto status = book_.Visit(part.log.attempt.run, [&](RunLogs& run) {
      StoredLog& log = run.logs[part.log];
      if (part.extent) {
        book_.CountMemory(part.log, part.extent->begin, part.extent->length);
        log.Add(*std::move(part.extent), part.after);
      } else {
        log.SetEnd(part.after, current_);
      }
      grown = grown || run.unarchived.empty() ||
              log.progress().received - log.archived() >= options_.urgent_bytes;
      run.unarchived.insert(part.log);
      run.waits_since = std::min(run.waits_since, std::chrono::steady_clock::now());
      run.Change(part.log, woken);
    });
    if (!status.ok()) {
      spdlog::error("logs: {}", base::Message(status));
    }
  }
  for (const Group::Reply& reply : group.replies) {
    const bool failed = !reply.status.ok() && reply.status.code() != absl::StatusCode::kDataLoss;
    if (failed || !written.ok()) {
      reply.answer(failed ? reply.status : written);
      continue;
    }
    model::LogMarks known;
    const auto status = book_.Visit(reply.log.attempt.run, [&](RunLogs& run) {
      const auto log = run.logs.find(reply.log);
      known = log == run.logs.end() ? known : log->second.state().marks;
    });
    if (!status.ok() || !reply.status.ok()) {
      reply.answer(status.ok() ? reply.status : status);
    } else {
      reply.answer(known);
    }
  }
  for (const auto& wake : woken) {
    wake();
  }
  if (grown) {
    grown_();
  }
}

void Arrivals::RemoveArchived() {
  // Only files that nothing is added to any more, so that what is seen of them below is all.
  std::vector<std::shared_ptr<RecordFile>> full;
  {
    const std::lock_guard lock(mutex_);
    std::ranges::copy_if(files_, std::back_inserter(full),
                         [&](const auto& file) { return file != current_; });
  }
  std::set<const RecordFile*> needed;
  book_.VisitAll([&](model::RunId, RunLogs& run) {
    for (const model::LogKey& key : run.unarchived) {
      const StoredLog& log = run.logs.at(key);
      needed.insert(log.end_file().get());
      for (const auto& [begin, extent] : log.extents()) {
        if (!extent.is_archived()) {
          needed.insert(extent.file.get());
        }
      }
    }
  });
  std::erase_if(full, [&](const auto& file) { return needed.contains(file.get()); });
  for (const auto& file : full) {
    unlink(file->path().c_str());
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(files_, [&](const auto& file) { return std::ranges::count(full, file) > 0; });
}

}  // namespace store::logs
