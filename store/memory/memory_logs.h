// SPDX-License-Identifier: Apache-2.0
// `LogSink` and `LogFeed` in memory, for tests and simulation: what arrives is durable at once, a
// log is archived when it ends.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/ports/log_feed.h"
#include "engine/ports/log_sink.h"

namespace store::memory {

class MemoryLogs : public engine::ports::LogSink, public engine::ports::LogFeed {
 public:
  /// Answers and readers' handlers are given to `post`, which calls them later, one after the
  /// other.
  explicit MemoryLogs(std::function<void(std::function<void()>)> post) : post_(std::move(post)) {}

  void Append(const engine::model::LogKey& log, std::uint64_t offset, std::string bytes,
              Answer answer) override;
  void End(const engine::model::LogKey& log, const engine::model::LogEnd& end,
           Answer answer) override;
  void Abandon(const engine::model::LogKey& log, std::uint64_t length) override;
  void AbandonOthers(const engine::model::AttemptKey& attempt,
                     const std::set<engine::model::StepIndex>& named) override;
  engine::base::StatusOr<engine::model::LogMarks> Marks(const engine::model::LogKey& log) override;
  void OnArchived(ArchivedListener listener) override { listener_ = std::move(listener); }

  std::unique_ptr<engine::ports::LogReader> Open(engine::ports::LogRequest request) override;
  engine::base::StatusOr<std::map<engine::model::LogKey, engine::model::LogState>> List(
      const engine::ports::LogSelection& selection) override;

 private:
  class Reader;
  struct Log {
    std::string bytes;
    std::optional<engine::model::LogEnd> end;
    std::uint64_t archived = 0;
    engine::model::LogState state() const;
  };
  engine::base::Status Add(const engine::model::LogKey& log, std::uint64_t offset,
                           const std::string& bytes);
  engine::base::Status Close(const engine::model::LogKey& log, engine::model::LogEnd end);
  void Reply(const engine::model::LogKey& log, const engine::base::Status& status,
             const Answer& answer);
  void Cut(Log& log, std::uint64_t length);
  void WakeReaders();

  std::function<void(std::function<void()>)> post_;
  ArchivedListener listener_;
  std::mutex mutex_;
  std::map<engine::model::LogKey, Log> logs_;
  std::vector<std::weak_ptr<Reader>> readers_;
};

}  // namespace store::memory
