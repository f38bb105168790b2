// SPDX-License-Identifier: Apache-2.0
// Nouns of a step's log on its way from a worker to a server: its name, how far it has come, how it
// ended.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace engine::model {

/// One step of one attempt; its output is one log with one offset space.
struct LogKey {
  AttemptKey attempt;
  StepIndex step;
  friend auto operator<=>(const LogKey&, const LogKey&) = default;
};

/// Bytes from `begin` up to, not including, `end`.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// How a log ended. It is complete when nothing is `lost` and it is neither `cut` nor `damaged`.
struct LogEnd {
  std::uint64_t length = 0;     ///< of the whole offset space, with what was lost
  std::uint32_t checksum = 0;   ///< CRC-32 of the bytes that were not lost, in order
  bool truncated = false;       ///< the author's limit cut it; the mark stands at its end
  std::vector<ByteRange> lost;  ///< rising, apart, none empty
  /// The worker went away before it had sent the log's end: what may have come behind `length` is
  /// missing, too, nobody knows how much.
  bool cut = false;
  bool damaged = false;  ///< what arrived does not match `checksum`
  friend bool operator==(const LogEnd&, const LogEnd&) = default;
};

bool IsComplete(const LogEnd& end);

/// Where the bytes that are not lost end: a worker keeps a prefix, so at most the end is missing.
std::uint64_t KeptLength(const LogEnd& end);

/// `InvalidArgument` says what is wrong: ranges that are empty, out of order, outside the log or in
/// the middle of it.
base::Status CheckEnd(const LogEnd& end);

/// How far a log has come on a server. `archived` <= `received`.
struct LogMarks {
  std::uint64_t received = 0;  ///< durable on this server: opens the sender's window
  std::uint64_t archived = 0;  ///< durable beyond it: the sender may forget
  bool ended = false;          ///< its end is durable, too
  bool complete = false;       ///< all of it and its end are archived: nothing more is needed
  bool cut = false;            ///< its end is a cut: whoever has more may still bring it
  friend bool operator==(const LogMarks&, const LogMarks&) = default;
};

/// What is known of a log.
struct LogState {
  LogMarks marks;
  std::optional<LogEnd> end;
  friend bool operator==(const LogState&, const LogState&) = default;
};

}  // namespace engine::model
