// SPDX-License-Identifier: Apache-2.0
// Reads the logs of one run from its segment files, also while a keeper is still writing them.
// Never writes. Threads: safe to call from several.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/log_range.h"
#include "engine/model/log_segment.h"
#include "engine/ports/log_source.h"

namespace store::logs {

class SegmentReader : public engine::ports::LogSource {
 public:
  /// `logs_folder` is `<run>/logs`; it need not exist while nothing was printed.
  explicit SegmentReader(std::string logs_folder);

  engine::base::StatusOr<std::string> Read(const engine::model::StepLog& log, std::uint64_t offset,
                                           std::uint64_t length) override;

  /// `DataLoss` when bytes are missing or do not match the log's checksum.
  engine::base::Status Verify(const engine::model::StepLog& log);

  /// When the log's bytes came, as offsets into the log (not the segment), rising; the first is 0.
  /// Empty when nothing is known.
  std::vector<engine::model::ReadTime> Times(const engine::model::StepLog& log);

  /// The newest step of `slot` that printed something: what there is of its log now, and whether it
  /// still grows. `NotFound` when the slot has printed nothing yet. To follow a step: find its slot
  /// (`AttemptStarted`), call this until `tag` is the step's and `Read` from where you were; when
  /// another step's tag appears or `growing` is false, the ended step's record says the rest.
  struct Live {
    engine::model::LogTag tag;
    engine::model::StepLog log;  ///< without checksum
    bool growing = false;
  };
  engine::base::StatusOr<Live> ReadLive(std::uint32_t slot);

  /// What there is of a log whose end nobody told, as its keeper or its owner was lost before: as
  /// its slot's newest log, or as one that an earlier keeper of the slot wrote last. `NotFound`
  /// when the step printed nothing.
  engine::base::StatusOr<engine::model::StepLog> ReadCut(std::uint32_t slot,
                                                         const engine::model::LogTag& tag);

  /// In which number's segments the log lies of a step that runs in the background, or did when its
  /// keeper was lost: the slot is not known to say. `NotFound` while it has printed nothing.
  engine::base::StatusOr<std::uint32_t> FindLane(const engine::model::LogTag& tag);

 private:
  Live LiveOf(const engine::model::LiveLog& record) const;

  std::string folder_;
};

/// `length` of all ranges together.
std::uint64_t LogLength(const engine::model::StepLog& log);

}  // namespace store::logs
