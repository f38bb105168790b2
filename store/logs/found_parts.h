// SPDX-License-Identifier: Apache-2.0
// What lies on the disk of some logs, gathered from files of records. Blocks.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/log_state.h"
#include "store/logs/record_file.h"
#include "store/logs/stored_log.h"

namespace store::logs {

struct FoundParts {
  std::vector<Extent> extents;
  std::vector<FoundEnd> ends;  ///< the archive's last
};
using FoundLogs = std::map<engine::model::LogKey, FoundParts>;

/// Adds what `file` of the archive or of the arrivals holds to `found`. Records whose kind is
/// unknown, or whose payload cannot be understood, are passed over.
engine::base::Status AddRecords(const std::shared_ptr<RecordFile>& file, bool is_archive,
                                FoundLogs& found);

}  // namespace store::logs
