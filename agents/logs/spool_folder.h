// SPDX-License-Identifier: Apache-2.0
// The segments that the keepers of a worker write, as the shipper sees them: what a running step
// has printed so far, and what can be removed. Reads and removes files, writes none.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/model/log_range.h"
#include "engine/model/log_segment.h"

namespace agents::logs {

/// A place in a slot's segments; later ones are greater.
struct SpoolPosition {
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const SpoolPosition&, const SpoolPosition&) = default;
};

/// What was removed of the log that a running step writes: the slot's segments before `segment`,
/// with its first `before` bytes.
struct FreedSegments {
  std::uint32_t segment = 0;
  std::uint64_t before = 0;
  friend bool operator==(const FreedSegments&, const FreedSegments&) = default;
};

class SpoolFolder {
 public:
  explicit SpoolFolder(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }

  /// Extends `log` to what the step of `tag` has printed in `slot`, if that begins at `from` or
  /// later. A slot runs one step at a time; what an earlier one printed under the same tag lies
  /// before `from`. `freed`: what an earlier agent removed of it. False: nothing is known of it
  /// yet, or it changed while it was looked at.
  bool Extend(std::uint32_t slot, const engine::model::LogTag& tag, const SpoolPosition& from,
              const std::optional<FreedSegments>& freed, engine::model::StepLog& log) const;

  /// How many bytes of the log lie in front of the first segment that is there: archived, and gone.
  std::uint64_t GoneBefore(const engine::model::StepLog& log) const;

  /// Removes the slot's segments before `needed`, except its newest: the keeper numbers on from it.
  void RemoveBefore(std::uint32_t slot, std::uint32_t needed) const;

 private:
  std::optional<engine::model::LiveLog> ReadLive(std::uint32_t slot) const;
  /// Nothing: there is no such segment.
  std::optional<std::uint64_t> SizeOf(std::uint32_t segment) const;
  std::string folder_;
};

/// Where the log ends; nothing of an empty one.
std::optional<SpoolPosition> EndOf(const engine::model::StepLog& log);
/// The segment that holds the byte at `offset`, or the last one.
std::uint32_t SegmentAt(const engine::model::StepLog& log, std::uint64_t offset);
std::uint64_t LengthOf(const engine::model::StepLog& log);

}  // namespace agents::logs
