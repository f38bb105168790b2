// SPDX-License-Identifier: Apache-2.0
#include "engine/model/log_segment.h"

#include <charconv>

#include <fmt/format.h>

namespace engine::model {
namespace {

constexpr std::uint64_t kLiveLogMagic = 0x31574f4e59414421ULL;

void PutNumber(char* out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out[i] = static_cast<char>(value >> (8 * i));
  }
}

std::uint64_t GetNumber(const char* in, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
  }
  return value;
}

/// FNV-1a over the record's words: enough to notice a torn read.
std::uint64_t SealOf(const char* record) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::size_t i = 0; i + 8 < kLiveLogBytes; ++i) {
    hash = (hash ^ static_cast<unsigned char>(record[i])) * 0x100000001b3ULL;
  }
  return hash;
}

/// Reads all of `text` as a number without sign or leading zero.
std::optional<std::uint32_t> WholeNumber(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string SegmentFileName(std::uint32_t segment) {
  return fmt::format("{}-{}.seg", SegmentSlot(segment), SegmentOrdinal(segment));
}

std::string SegmentIndexName(std::uint32_t segment) {
  return fmt::format("{}-{}.idx", SegmentSlot(segment), SegmentOrdinal(segment));
}

std::string LiveLogName(std::uint32_t slot) {
  return fmt::format("{}.now", slot);
}

std::string CutLogsName(std::uint32_t slot) {
  return fmt::format("{}.cut", slot);
}

std::optional<std::uint32_t> SegmentFromFileName(std::string_view name) {
  constexpr std::string_view kSuffix = ".seg";
  const auto dash = name.find('-');
  if (dash == std::string_view::npos || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const auto slot = WholeNumber(name.substr(0, dash));
  const auto ordinal = WholeNumber(name.substr(dash + 1, name.size() - dash - 1 - kSuffix.size()));
  if (!slot || !ordinal || *slot > kSegmentSlotMax || *ordinal > kSegmentOrdinalMax) {
    return std::nullopt;
  }
  return SegmentNumber(*slot, *ordinal);
}

std::array<char, kReadTimeBytes> EncodeReadTime(const ReadTime& time) {
  std::array<char, kReadTimeBytes> out{};
  PutNumber(out.data(), time.offset, 8);
  PutNumber(out.data() + 8, static_cast<std::uint64_t>(base::ToMicros(time.at)), 8);
  return out;
}

ReadTime DecodeReadTime(std::span<const char, kReadTimeBytes> bytes) {
  return {.offset = GetNumber(bytes.data(), 8),
          .at = base::InstantFromMicros(static_cast<std::int64_t>(GetNumber(bytes.data() + 8, 8)))};
}

std::array<char, kLiveLogBytes> EncodeLiveLog(const LiveLog& log) {
  std::array<char, kLiveLogBytes> out{};
  PutNumber(out.data(), kLiveLogMagic ^ (log.growing ? 1U : 0U), 8);
  PutNumber(out.data() + 8, log.tag.job, 4);
  PutNumber(out.data() + 12, log.tag.attempt, 4);
  PutNumber(out.data() + 16, log.tag.step, 4);
  PutNumber(out.data() + 20, log.begin_segment, 4);
  PutNumber(out.data() + 24, log.begin_offset, 8);
  PutNumber(out.data() + 32, log.end_segment, 4);
  PutNumber(out.data() + 40, log.end_offset, 8);
  PutNumber(out.data() + 48, SealOf(out.data()), 8);
  return out;
}

std::optional<LiveLog> DecodeLiveLog(std::string_view bytes) {
  if (bytes.size() != kLiveLogBytes) {
    return std::nullopt;
  }
  const char* in = bytes.data();
  const auto flags = GetNumber(in, 8) ^ kLiveLogMagic;
  if (flags > 1 || GetNumber(in + 48, 8) != SealOf(in)) {
    return std::nullopt;
  }
  return LiveLog{.tag = {.job = static_cast<std::uint32_t>(GetNumber(in + 8, 4)),
                         .attempt = static_cast<std::uint32_t>(GetNumber(in + 12, 4)),
                         .step = static_cast<std::uint32_t>(GetNumber(in + 16, 4))},
                 .growing = flags == 1,
                 .begin_segment = static_cast<std::uint32_t>(GetNumber(in + 20, 4)),
                 .begin_offset = GetNumber(in + 24, 8),
                 .end_segment = static_cast<std::uint32_t>(GetNumber(in + 32, 4)),
                 .end_offset = GetNumber(in + 40, 8)};
}

}  // namespace engine::model
