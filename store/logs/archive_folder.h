// SPDX-License-Identifier: Apache-2.0
// Logs for good: `<folder>/<run>/<epoch>-<n>.arc`, records with frames and ends. A server writes
// only files of its own epoch, so one that was deposed cannot damage its successor's; readers take
// all of them together. Blocks. Threads: safe to call from several.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "store/logs/found_parts.h"
#include "store/logs/record_file.h"

namespace store::logs {

class ArchiveFolder {
 public:
  ArchiveFolder(std::string folder, engine::model::Epoch epoch)
      : folder_(std::move(folder)), epoch_(epoch) {}
  const std::string& folder() const { return folder_; }

  /// Everything that is archived of a run.
  engine::base::StatusOr<FoundLogs> Load(engine::model::RunId run) const;
  /// A new file for the run.
  engine::base::StatusOr<std::shared_ptr<RecordFile>> Create(engine::model::RunId run) const;

 private:
  std::string FolderOf(engine::model::RunId run) const;
  std::string folder_;
  engine::model::Epoch epoch_;
};

/// The record of an end, whose payload is `EncodeEnd`'s.
LogRecord EndRecord(const engine::model::LogKey& log, std::string_view payload);

}  // namespace store::logs
