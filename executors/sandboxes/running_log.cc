// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/running_log.h"

#include <fcntl.h>
#include <unistd.h>

#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {
namespace {

constexpr std::size_t kReadBytesMax = 1 << 20;

/// What the file has from `offset` on, at most `bytes_max`; empty when there is no such file.
std::string ReadFrom(const std::string& path, std::uint64_t offset, std::size_t bytes_max) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes(bytes_max, '\0');
  const auto got =
      file.valid() ? pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) : 0;
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

}  // namespace

std::string RunningLog::ReadOn() {
  if (!found_) {
    const auto live = engine::model::DecodeLiveLog(ReadFrom(
        folder_ + "/" + engine::model::LiveLogName(lane_), 0, engine::model::kLiveLogBytes));
    if (!live || live->tag != tag_) {
      return {};
    }
    found_ = true;
    segment_ = live->begin_segment;
    offset_ = live->begin_offset;
  }
  std::string bytes =
      ReadFrom(folder_ + "/" + engine::model::SegmentFileName(segment_), offset_, kReadBytesMax);
  offset_ += bytes.size();
  if (!bytes.empty()) {
    return bytes;
  }
  // Either nothing came, or it goes on in the next one.
  const std::string next = folder_ + "/" + engine::model::SegmentFileName(segment_ + 1);
  if (access(next.c_str(), F_OK) == 0) {
    bytes =
        ReadFrom(folder_ + "/" + engine::model::SegmentFileName(segment_), offset_, kReadBytesMax);
    offset_ += bytes.size();
    if (bytes.empty()) {
      ++segment_;
      offset_ = 0;
    }
  }
  return bytes;
}

}  // namespace executors::sandboxes
