// SPDX-License-Identifier: Apache-2.0
#include "apps/log_follower.h"

#include <algorithm>
#include <limits>

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr std::uint64_t kChunkBytes = 256 << 10;
constexpr std::uint64_t kLiveBytesMax = 4 << 20;

model::LogTag TagOf(const LogFollower::Key& key) {
  return {.job = static_cast<std::uint32_t>(key.first.job.value()),
          .attempt = key.first.attempt,
          .step = key.second.value()};
}

}  // namespace

base::Status LogFollower::HandOut(const Key& key, const model::StepLog& log,
                                  std::uint64_t bytes_max) {
  std::uint64_t& offset = handed_out_[key];
  const std::uint64_t end =
      std::min(store::logs::LogLength(log),
               offset + std::min(bytes_max, std::numeric_limits<std::uint64_t>::max() - offset));
  while (offset < end) {
    ASSIGN_OR_RETURN(const std::string bytes,
                     reader_.Read(log, offset, std::min(kChunkBytes, end - offset)));
    if (bytes.empty()) {
      break;
    }
    offset += bytes.size();
    emit_(key, bytes, false);
  }
  return base::OkStatus();
}

std::uint32_t LogFollower::SegmentsOf(const Key& key, std::uint32_t slot,
                                      const model::JobSpec& spec) {
  const model::StepSpec* step = model::StepAt(spec, key.second);
  if (step == nullptr || !step->background) {
    return slot;
  }
  const auto known = lanes_.find(key);
  if (known != lanes_.end()) {
    return known->second;
  }
  const auto found = reader_.FindLane(TagOf(key));
  return found.ok() ? lanes_.emplace(key, *found).first->second : slot;
}

void LogFollower::Running(const Key& key, std::uint32_t slot) {
  const auto live = reader_.ReadLive(slot);
  if (live.ok() && live->tag == TagOf(key)) {
    // A segment that cannot be read now is met again, and named, when the step has ended.
    HandOut(key, live->log, kLiveBytesMax).IgnoreError();
  }
}

model::StepLog LogFollower::CutLog(const Key& key, std::uint32_t slot) {
  auto log = reader_.ReadCut(slot, TagOf(key));
  return log.ok() ? *std::move(log) : model::StepLog{};
}

base::Status LogFollower::Ended(const Key& key, const model::StepLog& log) {
  base::Status status = HandOut(key, log, std::numeric_limits<std::uint64_t>::max());
  emit_(key, {}, true);
  handed_out_.erase(key);
  lanes_.erase(key);
  return status;
}

base::Status LogFollower::EndedTail(const Key& key, const model::StepLog& log,
                                    std::uint64_t bytes) {
  std::uint64_t& offset = handed_out_[key];
  const std::uint64_t length = store::logs::LogLength(log);
  offset = std::max(offset, length > bytes ? length - bytes : 0);
  return Ended(key, log);
}

}  // namespace apps
