// SPDX-License-Identifier: Apache-2.0
#include "store/logs/found_parts.h"

#include "engine/base/checksum.h"

namespace store::logs {
namespace {

/// A payload whose header is whole can still be torn: the disk orders nothing within a flush.
bool IsWhole(const RecordFile& file, const LogRecord& record, std::uint64_t position) {
  const auto payload = file.Read(position, record.stored);
  return payload.ok() && engine::base::Crc32(0, *payload) == record.checksum;
}

}  // namespace

engine::base::Status AddRecords(const std::shared_ptr<RecordFile>& file, bool is_archive,
                                FoundLogs& found) {
  return file->Scan([&](const LogRecord& record, std::uint64_t position) {
    FoundParts& parts = found[record.log];
    switch (record.kind) {
      case RecordKind::kBytes:
        if (!IsWhole(*file, record, position)) {
          return;
        }
        [[fallthrough]];
      case RecordKind::kFrame:
        parts.extents.push_back({.begin = record.offset,
                                 .length = record.length,
                                 .record = record,
                                 .file = file,
                                 .position = position});
        return;
      case RecordKind::kEnd:
        if (IsWhole(*file, record, position)) {
          const auto payload = file->Read(position, record.stored);
          if (const auto end = payload.ok() ? DecodeEnd(*payload) : std::nullopt) {
            parts.ends.push_back({*end, is_archive ? nullptr : file});
          }
        }
        return;
    }
  });
}

}  // namespace store::logs
