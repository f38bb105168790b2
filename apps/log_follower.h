// SPDX-License-Identifier: Apache-2.0
// Hands out what steps write, each byte once and in order: while they run from the live segments,
// at their end what is left of the recorded ranges. Blocks only for reading files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/model/log_range.h"
#include "engine/model/plan.h"
#include "store/logs/segment_reader.h"

namespace apps {

class LogFollower {
 public:
  using Key = std::pair<engine::model::AttemptKey, engine::model::StepIndex>;
  /// `last`: the step has ended, no more will come of it.
  using Emit = std::function<void(const Key& key, std::string_view bytes, bool last)>;

  LogFollower(store::logs::SegmentReader& reader, Emit emit)
      : reader_(reader), emit_(std::move(emit)) {}

  /// In which segments the step's log lies: those of its attempt's slot, or in the background those
  /// of a lane, which is looked for.
  std::uint32_t SegmentsOf(const Key& key, std::uint32_t slot, const engine::model::JobSpec& spec);

  /// What a running step has written since the last call, at most some megabytes.
  void Running(const Key& key, std::uint32_t slot);
  /// The rest of an ended step. `DataLoss` when bytes are missing; what there is was handed out
  /// before.
  engine::base::Status Ended(const Key& key, const engine::model::StepLog& log);
  /// Of an ended step only what lies in its last `bytes`.
  engine::base::Status EndedTail(const Key& key, const engine::model::StepLog& log,
                                 std::uint64_t bytes);
  /// What there is of a step that ended with its attempt, as nobody told how; for the calls above.
  engine::model::StepLog CutLog(const Key& key, std::uint32_t slot);

 private:
  engine::base::Status HandOut(const Key& key, const engine::model::StepLog& log,
                               std::uint64_t bytes_max);

  store::logs::SegmentReader& reader_;
  Emit emit_;
  std::map<Key, std::uint64_t> handed_out_;
  std::map<Key, std::uint32_t> lanes_;  ///< of steps in the background, once found
};

}  // namespace apps
