// SPDX-License-Identifier: Apache-2.0
// What arrives becomes durable here first: `<folder>/<epoch>-<n>.log`, records of all runs in the
// order they came, so that one flush makes everything durable that arrived during the one before. A
// file is removed once all of it is in the archive. One thread of its own writes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/log_sink.h"
#include "store/logs/log_book.h"
#include "store/logs/record_file.h"

namespace store::logs {

struct ArrivalsOptions {
  std::string folder;
  engine::model::Epoch epoch;
  std::uint64_t queue_bytes_max = 64ULL << 20;  ///< waiting to be written; more is refused
  std::uint64_t file_bytes_max = 64ULL << 20;   ///< then the next file begins
  std::uint64_t urgent_bytes = 1 << 20;
};

class Arrivals {
 public:
  using Answer = engine::ports::LogSink::Answer;
  /// `grown` is called, on the arrivals' thread, when a run has something to archive that had
  /// nothing before, or so much of a log that it should not wait.
  Arrivals(ArrivalsOptions options, LogBook& book, std::function<void()> grown);
  ~Arrivals();
  /// Ends what it has begun; the rest is answered `Unavailable`.
  void Close();

  /// Reads what earlier servers left and begins to write. Once, first.
  engine::base::Status Open();

  void Append(const engine::model::LogKey& log, std::uint64_t offset, std::string bytes,
              Answer answer);
  void End(const engine::model::LogKey& log, engine::model::LogEnd end, Answer answer);
  void Abandon(const engine::model::LogKey& log, std::uint64_t length);
  void AbandonOthers(const engine::model::AttemptKey& attempt,
                     std::set<engine::model::StepIndex> named);

  /// Removes files all of whose records are in the archive.
  void RemoveArchived();

 private:
  struct Batch {
    engine::model::LogKey log;
    std::uint64_t offset = 0;
    std::string bytes;
  };
  struct Ending {
    engine::model::LogKey log;
    engine::model::LogEnd end;
  };
  struct Abandoned {
    engine::model::LogKey log;
    std::uint64_t length = 0;
  };
  struct OthersAbandoned {
    engine::model::AttemptKey attempt;
    std::set<engine::model::StepIndex> named;
  };
  struct Order {
    std::variant<Batch, Ending, Abandoned, OthersAbandoned> what;
    Answer answer;
  };
  /// What one flush makes durable.
  struct Group;

  void Run();
  void Enqueue(Order order, std::uint64_t bytes);
  void Perform(std::vector<Order> orders);
  void Take(Batch& batch, Group& group, Answer answer);
  void Take(Ending& ending, Group& group, Answer answer);
  void Take(const Abandoned& abandoned, Group& group);
  void Take(const OthersAbandoned& abandoned, Group& group);
  engine::base::StatusOr<Progress*> ProgressOf(const engine::model::LogKey& log, Group& group);
  engine::base::Status WorkOutChecksum(const engine::model::LogKey& log, Progress& progress,
                                       const Group& group);
  void GatherEnd(const engine::model::LogKey& log, const engine::model::LogEnd& end, Group& group);
  engine::base::Status EnsureFile();
  void Commit(Group& group);

  const ArrivalsOptions options_;
  LogBook& book_;
  const std::function<void()> grown_;

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::vector<Order> queue_;
  std::uint64_t queue_bytes_ = 0;
  bool closed_ = false;
  std::vector<std::shared_ptr<RecordFile>> files_;  ///< that may hold what is not archived
  std::shared_ptr<RecordFile> current_;

  unsigned next_file_ = 0;
  std::thread thread_;
};

}  // namespace store::logs
