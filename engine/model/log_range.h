// SPDX-License-Identifier: Apache-2.0
// Where a step's log lies: byte ranges of segments. Stdout and stderr are one pipe, one offset
// space.
#pragma once

#include <cstdint>
#include <vector>

namespace engine::model {

/// `length` bytes at `offset` of segment number `segment` (segments belong to a slot of a run and
/// are shared by its steps).
struct LogRange {
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const LogRange&, const LogRange&) = default;
};

struct StepLog {
  std::vector<LogRange> ranges;  ///< in order; none: the step wrote nothing
  std::uint32_t checksum = 0;    ///< CRC-32 (zlib's polynomial) of all bytes in order; 0 when empty
  bool truncated = false;        ///< the log limit cut it; the mark stands at the end
  std::uint64_t lost_bytes = 0;  ///< known to be missing, 0 when complete
  friend bool operator==(const StepLog&, const StepLog&) = default;
};

}  // namespace engine::model
