// SPDX-License-Identifier: Apache-2.0
// Moves logs from the arrivals into the archive, run by run, on a thread of its own: a log that has
// ended, one of which much has gathered, and what has waited for a while.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/ports/log_sink.h"
#include "store/logs/archive_folder.h"
#include "store/logs/arrivals.h"
#include "store/logs/log_book.h"

namespace store::logs {

struct ArchiverOptions {
  std::uint64_t urgent_bytes = 1 << 20;            ///< of one log: so much is not kept waiting
  std::chrono::milliseconds after{2000};           ///< nor does anything wait for longer
  std::chrono::milliseconds again{1000};           ///< when the archive could not be written
  std::chrono::milliseconds forget_after{60'000};  ///< a run that nobody asked for
};

class Archiver {
 public:
  Archiver(ArchiverOptions options, const ArchiveFolder& archive, LogBook& book,
           Arrivals& arrivals);
  ~Archiver();
  void Start();
  void Close();

  /// Heard on the archiver's thread. Before `Start`.
  void OnArchived(engine::ports::LogSink::ArchivedListener listener);
  /// There may be something to do.
  void Wake();
  /// Returns when all that had been received before is archived, or could not be.
  engine::base::Status ArchiveAll();

 private:
  struct Part {
    engine::model::LogKey log;
    std::vector<Extent> extents;
    std::uint64_t until = 0;  ///< where they end
    std::optional<engine::model::LogEnd> end;
  };
  struct Packed {
    engine::model::LogKey log;
    std::vector<Extent> frames;
    std::uint64_t until = 0;
    std::optional<engine::model::LogEnd> end;
  };

  void Run();
  /// When there is something to do next; does what there is. `all`: whether it is time or not.
  SteadyTime Pass(bool all, engine::base::Status& status);
  std::vector<Part> PartsOf(engine::model::RunId run, bool is_due);
  engine::base::Status ArchiveRun(engine::model::RunId run, bool is_due);
  engine::base::Status ArchiveParts(engine::model::RunId run, const std::vector<Part>& parts);
  Packed PackLog(const Part& part, RecordFile& file) const;
  engine::base::StatusOr<std::shared_ptr<RecordFile>> FileOf(engine::model::RunId run);
  void TakeIn(engine::model::RunId run, std::vector<Packed> packed);
  bool IsUrgent(const StoredLog& log) const;

  const ArchiverOptions options_;
  const ArchiveFolder& archive_;
  LogBook& book_;
  Arrivals& arrivals_;
  engine::ports::LogSink::ArchivedListener listener_;
  std::map<engine::model::RunId, std::shared_ptr<RecordFile>> files_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopped_ = false;
  std::uint64_t asked_ = 0;  ///< calls of `ArchiveAll`
  std::uint64_t done_ = 0;   ///< those of them that are served
  engine::base::Status last_;
  std::thread thread_;
};

}  // namespace store::logs
