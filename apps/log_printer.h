// SPDX-License-Identifier: Apache-2.0
// Prints steps' logs on standard output for `dayfly logs`, each byte once, over as many calls as it
// takes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/log_follower.h"
#include "apps/view/board.h"
#include "apps/view/log_text.h"
#include "engine/base/status.h"
#include "store/logs/segment_reader.h"

namespace apps {

struct LogSelection {
  std::vector<engine::model::JobIndex> jobs;
  std::string step;  ///< empty: all; else as `FindStep` takes it
};

/// The step of that id, or at that position from 1 (`finally` steps count on). `NotFound` lists
/// what there is.
engine::base::StatusOr<engine::model::StepIndex> FindStep(const engine::model::JobSpec& spec,
                                                          const std::string& name);

struct LogPrinterOptions {
  bool raw = false;
  bool json = false;       ///< an object a line
  bool in_order = false;   ///< a step's log is complete before the next one's begins
  bool name_jobs = false;  ///< in front of each line
  std::int64_t tail = -1;  ///< lines of each step; -1: all
};

class LogPrinter {
 public:
  LogPrinter(std::string logs_folder, LogPrinterOptions options);

  /// What is new of the selected steps. An error: standard output cannot be written.
  engine::base::Status Print(const view::Board& board, const LogSelection& selection);
  /// `DataLoss` when bytes of a log could not be read.
  engine::base::Status missing() const { return missing_; }

 private:
  using Key = LogFollower::Key;
  bool PrintStep(const view::Board& board, const Key& key, const view::AttemptState& attempt);
  void Emit(const Key& key, std::string_view bytes, bool last);
  void WriteLine(const Key& key, std::string_view line);
  void WriteText(const Key& key, std::string_view text);
  void WriteJson(const Key& key, std::string_view line);

  store::logs::SegmentReader reader_;
  LogPrinterOptions options_;
  LogFollower follower_;
  const view::Board* board_ = nullptr;
  std::map<Key, view::OpenLog> open_;
  std::map<Key, std::vector<engine::model::ReadTime>> times_;
  std::map<Key, bool> done_;
  std::string out_;
  engine::base::Status missing_;
};

}  // namespace apps
