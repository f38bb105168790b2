// SPDX-License-Identifier: Apache-2.0
#include "store/logs/server_logs.h"

#include <utility>

#include "store/logs/feed_reader.h"

namespace store::logs {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

ServerLogs::ServerLogs(const ServerLogsOptions& options)
    : folder_(options.folder + "/runs", options.epoch),
      book_(folder_, options.memory_bytes_max),
      arrivals_({.folder = options.folder + "/arrivals",
                 .epoch = options.epoch,
                 .queue_bytes_max = options.queue_bytes_max,
                 .file_bytes_max = options.arrivals_file_bytes_max,
                 .urgent_bytes = options.archive.urgent_bytes},
                book_, [this] { archiver_.Wake(); }),
      archiver_(options.archive, folder_, book_, arrivals_) {}

base::StatusOr<std::unique_ptr<ServerLogs>> ServerLogs::Open(ServerLogsOptions options) {
  RETURN_IF_ERROR(MakeFolder(options.folder));
  RETURN_IF_ERROR(MakeFolder(options.folder + "/runs"));
  std::unique_ptr<ServerLogs> logs(new ServerLogs(options));
  RETURN_IF_ERROR(logs->arrivals_.Open());
  logs->archiver_.Start();
  return logs;
}

// First those who call others, so that nobody calls one that is gone.
ServerLogs::~ServerLogs() {
  arrivals_.Close();
  archiver_.Close();
}

void ServerLogs::Append(const model::LogKey& log, std::uint64_t offset, std::string bytes,
                        Answer answer) {
  arrivals_.Append(log, offset, std::move(bytes), std::move(answer));
}

void ServerLogs::End(const model::LogKey& log, const model::LogEnd& end, Answer answer) {
  arrivals_.End(log, end, std::move(answer));
}

void ServerLogs::Abandon(const model::LogKey& log, std::uint64_t length) {
  arrivals_.Abandon(log, length);
}

void ServerLogs::AbandonOthers(const model::AttemptKey& attempt,
                               const std::set<model::StepIndex>& named) {
  arrivals_.AbandonOthers(attempt, named);
}

base::StatusOr<model::LogMarks> ServerLogs::Marks(const model::LogKey& log) {
  model::LogMarks marks;
  RETURN_IF_ERROR(book_.Visit(log.attempt.run, [&](RunLogs& run) {
    if (const auto found = run.logs.find(log); found != run.logs.end()) {
      marks = found->second.state().marks;
    }
  }));
  return marks;
}

void ServerLogs::OnArchived(ArchivedListener listener) {
  archiver_.OnArchived(std::move(listener));
}

std::unique_ptr<ports::LogReader> ServerLogs::Open(ports::LogRequest request) {
  return std::make_unique<FeedReader>(
      FeedThreads{.book = &book_, .memory = &memory_, .disk = &disk_}, std::move(request));
}

base::StatusOr<std::map<model::LogKey, model::LogState>> ServerLogs::List(
    const ports::LogSelection& selection) {
  std::map<model::LogKey, model::LogState> states;
  RETURN_IF_ERROR(book_.Visit(selection.run, [&](RunLogs& run) {
    for (const auto& [key, log] : run.logs) {
      if (Selects(selection, key)) {
        states.emplace(key, log.state());
      }
    }
  }));
  return states;
}

}  // namespace store::logs
