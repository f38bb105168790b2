// SPDX-License-Identifier: Apache-2.0
#include "store/logs/log_record.h"

#include "engine/base/checksum.h"

namespace store::logs {
namespace {

namespace model = engine::model;

constexpr std::size_t kChecksumAt = kRecordBytes - sizeof(std::uint32_t);

template <typename T>
void Put(char* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

template <typename T>
T Get(const char* from) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value =
        static_cast<T>(value | static_cast<T>(T{static_cast<unsigned char>(from[i])} << (8 * i)));
  }
  return value;
}

template <typename T>
void Append(std::string& out, T value) {
  char bytes[sizeof(T)];
  Put(bytes, value);
  out.append(bytes, sizeof(T));
}

enum EndFlags : std::uint8_t { kTruncated = 1, kCut = 2, kDamaged = 4 };
constexpr std::size_t kEndBytes = 8 + 4 + 1;
constexpr std::size_t kRangeBytes = 16;

}  // namespace

std::array<char, kRecordBytes> EncodeRecord(const LogRecord& record) {
  std::array<char, kRecordBytes> bytes{};
  char* at = bytes.data();
  kRecordMagic.copy(at, kRecordMagic.size());
  at[4] = static_cast<char>(record.kind);
  Put<std::uint64_t>(at + 8, record.log.attempt.run.value());
  Put<std::uint32_t>(at + 16, record.log.attempt.job.value());
  Put<std::uint32_t>(at + 20, record.log.attempt.attempt);
  Put<std::uint32_t>(at + 24, record.log.step.value());
  Put<std::uint32_t>(at + 28, record.length);
  Put<std::uint64_t>(at + 32, record.offset);
  Put<std::uint32_t>(at + 40, record.stored);
  Put<std::uint32_t>(at + 44, record.checksum);
  Put<std::uint32_t>(at + kChecksumAt, engine::base::Crc32(0, {at, kChecksumAt}));
  return bytes;
}

std::optional<LogRecord> DecodeRecord(std::string_view bytes) {
  if (bytes.size() < kRecordBytes || !bytes.starts_with(kRecordMagic) ||
      Get<std::uint32_t>(bytes.data() + kChecksumAt) !=
          engine::base::Crc32(0, bytes.substr(0, kChecksumAt))) {
    return std::nullopt;
  }
  const char* at = bytes.data();
  LogRecord record;
  record.kind = static_cast<RecordKind>(at[4]);
  record.log = {.attempt = {.run = model::RunId(Get<std::uint64_t>(at + 8)),
                            .job = model::JobIndex(Get<std::uint32_t>(at + 16)),
                            .attempt = Get<std::uint32_t>(at + 20)},
                .step = model::StepIndex(Get<std::uint32_t>(at + 24))};
  record.length = Get<std::uint32_t>(at + 28);
  record.offset = Get<std::uint64_t>(at + 32);
  record.stored = Get<std::uint32_t>(at + 40);
  record.checksum = Get<std::uint32_t>(at + 44);
  return record;
}

std::string EncodeEnd(const model::LogEnd& end) {
  std::string out;
  Append(out, end.length);
  Append(out, end.checksum);
  out.push_back(static_cast<char>((end.truncated ? kTruncated : 0) | (end.cut ? kCut : 0) |
                                  (end.damaged ? kDamaged : 0)));
  for (const model::ByteRange& range : end.lost) {
    Append(out, range.begin);
    Append(out, range.end);
  }
  return out;
}

std::optional<model::LogEnd> DecodeEnd(std::string_view bytes) {
  if (bytes.size() < kEndBytes || (bytes.size() - kEndBytes) % kRangeBytes != 0) {
    return std::nullopt;
  }
  const auto flags = static_cast<unsigned char>(bytes[kEndBytes - 1]);
  model::LogEnd end{.length = Get<std::uint64_t>(bytes.data()),
                    .checksum = Get<std::uint32_t>(bytes.data() + 8),
                    .truncated = (flags & kTruncated) != 0,
                    .lost = {},
                    .cut = (flags & kCut) != 0,
                    .damaged = (flags & kDamaged) != 0};
  for (std::size_t at = kEndBytes; at < bytes.size(); at += kRangeBytes) {
    end.lost.push_back({.begin = Get<std::uint64_t>(bytes.data() + at),
                        .end = Get<std::uint64_t>(bytes.data() + at + 8)});
  }
  return end;
}

}  // namespace store::logs
