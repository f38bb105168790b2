// SPDX-License-Identifier: Apache-2.0
// The logs that a server takes in and hands out, in a folder that its successors use as well:
// `arrivals/` holds what arrived, `runs/` what is archived (docs/logs.md).
#pragma once

#include <memory>
#include <set>
#include <string>

#include "engine/ports/log_feed.h"
#include "engine/ports/log_sink.h"
#include "store/logs/archiver.h"
#include "store/logs/arrivals.h"
#include "store/logs/log_book.h"
#include "store/logs/serial_thread.h"

namespace store::logs {

struct ServerLogsOptions {
  std::string folder;                            ///< made when it is missing; its parent exists
  engine::model::Epoch epoch;                    ///< of the shard's owner; files are named with it
  std::uint64_t queue_bytes_max = 64ULL << 20;   ///< arrived and not yet on the disk
  std::uint64_t memory_bytes_max = 64ULL << 20;  ///< kept for those who follow
  std::uint64_t arrivals_file_bytes_max = 64ULL << 20;
  ArchiverOptions archive;
};

class ServerLogs : public engine::ports::LogSink, public engine::ports::LogFeed {
 public:
  /// Takes up what earlier owners left in the folder. Blocks for reading it.
  static engine::base::StatusOr<std::unique_ptr<ServerLogs>> Open(ServerLogsOptions options);
  ~ServerLogs() override;

  void Append(const engine::model::LogKey& log, std::uint64_t offset, std::string bytes,
              Answer answer) override;
  void End(const engine::model::LogKey& log, const engine::model::LogEnd& end,
           Answer answer) override;
  void Abandon(const engine::model::LogKey& log, std::uint64_t length) override;
  void AbandonOthers(const engine::model::AttemptKey& attempt,
                     const std::set<engine::model::StepIndex>& named) override;
  engine::base::StatusOr<engine::model::LogMarks> Marks(const engine::model::LogKey& log) override;
  void OnArchived(ArchivedListener listener) override;

  /// Readers must be destroyed before this is.
  std::unique_ptr<engine::ports::LogReader> Open(engine::ports::LogRequest request) override;
  engine::base::StatusOr<std::map<engine::model::LogKey, engine::model::LogState>> List(
      const engine::ports::LogSelection& selection) override;

  /// Archives all that was received, without waiting for its time: for a clean stop.
  engine::base::Status ArchiveAll() { return archiver_.ArchiveAll(); }

 private:
  explicit ServerLogs(const ServerLogsOptions& options);
  ArchiveFolder folder_;
  LogBook book_;
  Arrivals arrivals_;
  Archiver archiver_;
  SerialThread memory_;
  SerialThread disk_;
};

}  // namespace store::logs
