// SPDX-License-Identifier: Apache-2.0
// What a server's log files consist of, the arrivals and the archives alike: records, each a header
// of 64 bytes and its payload. Little-endian:
//
//   magic 4 | kind 1 | 0 3 | run 8 | job 4 | attempt 4 | step 4 | length 4 | offset 8 | stored 4
//   | checksum 4 | 0 12 | CRC-32 of the header before it 4
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/log_state.h"

namespace store::logs {

enum class RecordKind : std::uint8_t {
  kBytes = 1,  ///< bytes of a log as they came
  kFrame = 2,  ///< bytes of a log as one zstd frame
  kEnd = 3,    ///< a `LogEnd`
};

struct LogRecord {
  RecordKind kind = RecordKind::kBytes;
  engine::model::LogKey log;
  std::uint64_t offset = 0;    ///< of the first byte in its log
  std::uint32_t length = 0;    ///< bytes of the log
  std::uint32_t stored = 0;    ///< bytes of payload
  std::uint32_t checksum = 0;  ///< CRC-32 of the log's bytes, or of an end's payload
  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

inline constexpr std::size_t kRecordBytes = 64;
inline constexpr std::string_view kRecordMagic = "DFL1";
std::array<char, kRecordBytes> EncodeRecord(const LogRecord& record);
/// Nothing when `bytes` do not begin with a whole header.
std::optional<LogRecord> DecodeRecord(std::string_view bytes);

std::string EncodeEnd(const engine::model::LogEnd& end);
std::optional<engine::model::LogEnd> DecodeEnd(std::string_view bytes);

}  // namespace store::logs
