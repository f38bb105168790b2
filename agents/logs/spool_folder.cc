// SPDX-License-Identifier: Apache-2.0
#include "agents/logs/spool_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace agents::logs {

namespace model = engine::model;

std::optional<model::LiveLog> SpoolFolder::ReadLive(std::uint32_t slot) const {
  std::ifstream file(folder_ + "/" + model::LiveLogName(slot), std::ios::binary);
  std::string bytes(model::kLiveLogBytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file ? model::DecodeLiveLog(bytes) : std::nullopt;
}

std::optional<std::uint64_t> SpoolFolder::SizeOf(std::uint32_t segment) const {
  struct stat file {};
  if (stat((folder_ + "/" + model::SegmentFileName(segment)).c_str(), &file) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(file.st_size);
}

bool SpoolFolder::Extend(std::uint32_t slot, const model::LogTag& tag, const SpoolPosition& from,
                         const std::optional<FreedSegments>& freed, model::StepLog& log) const {
  const auto live = ReadLive(slot);
  if (!live || live->tag != tag || SpoolPosition{live->begin_segment, live->begin_offset} < from) {
    return false;
  }
  std::vector<model::LogRange> ranges = log.ranges;
  if (ranges.empty()) {
    ranges.push_back({.segment = live->begin_segment, .offset = live->begin_offset, .length = 0});
    if (!SizeOf(live->begin_segment)) {
      if (!freed) {
        return false;
      }
      ranges.back().length = freed->before;
      ranges.push_back({.segment = freed->segment, .offset = 0, .length = 0});
    }
  }
  while (true) {
    model::LogRange& last = ranges.back();
    const bool is_end = !live->growing && last.segment == live->end_segment;
    // First whether there is a next one: then this one has its final size.
    const bool has_next = !is_end && SizeOf(last.segment + 1).has_value();
    const auto size = is_end ? live->end_offset : SizeOf(last.segment).value_or(0);
    last.length = size - std::min(size, last.offset);
    if (!has_next) {
      break;
    }
    ranges.push_back({.segment = last.segment + 1, .offset = 0, .length = 0});
  }
  // The keeper says that a step has ended before it writes a byte of the next: the sizes are this
  // step's only if it still says the same.
  if (ReadLive(slot) != live) {
    return false;
  }
  log.ranges = std::move(ranges);
  return true;
}

std::uint64_t SpoolFolder::GoneBefore(const model::StepLog& log) const {
  std::uint64_t gone = 0;
  for (const model::LogRange& range : log.ranges) {
    if (SizeOf(range.segment)) {
      return gone;
    }
    gone += range.length;
  }
  return 0;  // nothing is there: that is a loss
}

void SpoolFolder::RemoveBefore(std::uint32_t slot, std::uint32_t needed) const {
  std::vector<std::uint32_t> segments;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    const auto segment = model::SegmentFromFileName(entry.path().filename().string());
    if (segment && model::SegmentSlot(*segment) == slot) {
      segments.push_back(*segment);
    }
  }
  std::ranges::sort(segments);
  for (std::size_t i = 0; i + 1 < segments.size() && segments[i] < needed; ++i) {
    unlink((folder_ + "/" + model::SegmentIndexName(segments[i])).c_str());
    unlink((folder_ + "/" + model::SegmentFileName(segments[i])).c_str());
  }
}

std::optional<SpoolPosition> EndOf(const model::StepLog& log) {
  if (log.ranges.empty()) {
    return std::nullopt;
  }
  const model::LogRange& last = log.ranges.back();
  return SpoolPosition{last.segment, last.offset + last.length};
}

std::uint32_t SegmentAt(const model::StepLog& log, std::uint64_t offset) {
  for (const model::LogRange& range : log.ranges) {
    if (offset < range.length) {
      return range.segment;
    }
    offset -= range.length;
  }
  return log.ranges.empty() ? 0 : log.ranges.back().segment;
}

std::uint64_t LengthOf(const model::StepLog& log) {
  std::uint64_t length = 0;
  for (const model::LogRange& range : log.ranges) {
    length += range.length;
  }
  return length;
}

}  // namespace agents::logs
