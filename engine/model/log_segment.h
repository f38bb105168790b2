// SPDX-License-Identifier: Apache-2.0
// The names and small records of log segments: what the keeper writes under `<run>/logs/` and
// everybody else reads. `<slot>-<n>.seg` holds raw bytes, `<slot>-<n>.idx` says when they came,
// `<slot>.now` says where the slot's newest log begins, `<slot>.cut` holds the last `now` of each
// keeper that the slot had before. Only the first is ever flushed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace engine::model {

/// A segment's number within its run: the slot in the upper bits, the slot's own count below. So
/// `LogRange::segment` alone finds the file.
inline constexpr std::uint32_t kSegmentOrdinalBits = 20;
inline constexpr std::uint32_t kSegmentOrdinalMax = (1U << kSegmentOrdinalBits) - 1;
inline constexpr std::uint32_t kSegmentSlotMax = (1U << (32 - kSegmentOrdinalBits)) - 1;

constexpr std::uint32_t SegmentNumber(std::uint32_t slot, std::uint32_t ordinal) {
  return (slot << kSegmentOrdinalBits) | ordinal;
}
constexpr std::uint32_t SegmentSlot(std::uint32_t segment) {
  return segment >> kSegmentOrdinalBits;
}
constexpr std::uint32_t SegmentOrdinal(std::uint32_t segment) {
  return segment & kSegmentOrdinalMax;
}

std::string SegmentFileName(std::uint32_t segment);   ///< `3-17.seg`
std::string SegmentIndexName(std::uint32_t segment);  ///< `3-17.idx`
std::string LiveLogName(std::uint32_t slot);          ///< `3.now`
std::string CutLogsName(std::uint32_t slot);          ///< `3.cut`
/// The number in a file name made by `SegmentFileName`; nothing for any other name.
std::optional<std::uint32_t> SegmentFromFileName(std::string_view name);

/// Which step a log belongs to; the runner chooses it, the keeper only writes it down.
struct LogTag {
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
  std::uint32_t step = 0;
  friend bool operator==(const LogTag&, const LogTag&) = default;
};

/// When bytes of a segment were read from the pipe: those from `offset` up to the next entry's.
/// In the index file each is 16 bytes, little-endian.
struct ReadTime {
  std::uint64_t offset = 0;
  base::Instant at{};
  friend bool operator==(const ReadTime&, const ReadTime&) = default;
};
inline constexpr std::size_t kReadTimeBytes = 16;
std::array<char, kReadTimeBytes> EncodeReadTime(const ReadTime& time);
ReadTime DecodeReadTime(std::span<const char, kReadTimeBytes> bytes);

/// The newest step of a slot that printed something. While `growing`, its log goes from here to the
/// end of the slot's newest segment (a slot runs one step at a time); after that to `end`.
struct LiveLog {
  LogTag tag;
  bool growing = false;
  std::uint32_t begin_segment = 0;
  std::uint64_t begin_offset = 0;
  std::uint32_t end_segment = 0;
  std::uint64_t end_offset = 0;
  friend bool operator==(const LiveLog&, const LiveLog&) = default;
};
inline constexpr std::size_t kLiveLogBytes = 56;
/// One record, written in place; a reader may meet it half-written, which `DecodeLiveLog` answers
/// with nothing (read again).
std::array<char, kLiveLogBytes> EncodeLiveLog(const LiveLog& log);
std::optional<LiveLog> DecodeLiveLog(std::string_view bytes);

}  // namespace engine::model
