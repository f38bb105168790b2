// SPDX-License-Identifier: Apache-2.0
#include "store/logs/stored_log.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/base/checksum.h"
#include "store/logs/frame.h"

namespace store::logs {

namespace base = engine::base;
namespace model = engine::model;

base::StatusOr<std::string> ReadRecord(const Extent& extent) {
  const auto damaged = [&](std::string_view why) {
    return base::DataLoss("bytes {} to {} of the log are missing: {}", extent.begin, extent.end(),
                          why);
  };
  auto stored = extent.file->Read(extent.position, extent.record.stored);
  if (!stored.ok()) {
    return damaged(base::Message(stored.status()));
  }
  if (extent.record.kind == RecordKind::kFrame) {
    stored = Unpack(*stored, extent.record.length);
  }
  if (!stored.ok() || base::Crc32(0, *stored) != extent.record.checksum) {
    return damaged(extent.file->path() + " is damaged");
  }
  return stored;
}

base::StatusOr<std::string_view> Progress::Take(std::uint64_t offset, std::string_view bytes) {
  const std::uint64_t batch_end = offset + bytes.size();
  if (end && !end->cut && batch_end > model::KeptLength(*end)) {
    return base::FailedPrecondition("bytes up to {} of a log that ended at {}", batch_end,
                                    model::KeptLength(*end));
  }
  if (offset > received) {
    return base::FailedPrecondition("bytes from {} on, but those from {} on have not arrived",
                                    offset, received);
  }
  if (batch_end <= received) {
    return std::string_view();
  }
  const std::string_view fresh = bytes.substr(received - offset);
  received = batch_end;
  if (checksum) {
    checksum = base::Crc32(*checksum, fresh);
  }
  end.reset();
  return fresh;
}

base::StatusOr<std::optional<model::LogEnd>> Progress::Take(model::LogEnd told) {
  RETURN_IF_ERROR(model::CheckEnd(told));
  if (end && !end->cut) {
    model::LogEnd same = told;
    same.damaged = end->damaged;
    if (same != *end) {
      return base::AlreadyExists("the log has ended already, at {}", end->length);
    }
    return std::optional<model::LogEnd>();
  }
  const std::uint64_t kept = model::KeptLength(told);
  if (kept != received) {
    return base::FailedPrecondition("the log ends at {}, but {} bytes have arrived", kept,
                                    received);
  }
  if (told.cut) {
    told.checksum = checksum.value_or(0);
  }
  told.damaged = checksum && *checksum != told.checksum;
  if (end == told) {
    return std::optional<model::LogEnd>();
  }
  end = told;
  return std::optional<model::LogEnd>(std::move(told));
}

model::LogState StoredLog::state() const {
  return {.marks = {.received = progress_.received,
                    .archived = archived_,
                    .ended = progress_.end.has_value(),
                    .complete = progress_.end.has_value() && is_archived(),
                    .cut = progress_.end.has_value() && progress_.end->cut},
          .end = progress_.end};
}

bool StoredLog::is_archived() const {
  return archived_ == progress_.received && end_file_ == nullptr;
}

void StoredLog::Add(Extent extent, const Progress& after) {
  const auto begin = extent.begin;
  extents_.insert_or_assign(begin, std::move(extent));
  progress_ = after;
}

void StoredLog::Archive(std::vector<Extent> frames, std::uint64_t until,
                        const std::optional<model::LogEnd>& end) {
  extents_.erase(extents_.lower_bound(archived_), extents_.lower_bound(until));
  archived_ = until;
  for (Extent& frame : frames) {
    const auto begin = frame.begin;
    extents_.insert_or_assign(begin, std::move(frame));
  }
  // Another end may have taken a cut's place meanwhile.
  if (end && end == progress_.end) {
    end_file_.reset();
  }
}

bool StoredLog::Remember(const Extent& extent, std::shared_ptr<const std::string> memory) {
  const auto found = extents_.find(extent.begin);
  if (found == extents_.end() || found->second.file != extent.file ||
      found->second.position != extent.position) {
    return false;
  }
  found->second.memory = std::move(memory);
  return true;
}

void StoredLog::Forget(std::uint64_t begin) {
  if (const auto found = extents_.find(begin); found != extents_.end()) {
    found->second.memory.reset();
  }
}

namespace {

/// The part that continues a log at `at` best: it goes farthest; an archived one if there is a
/// choice.
const Extent* BestFrom(std::uint64_t at, const std::vector<Extent>& sorted, std::size_t& next,
                       const Extent* best) {
  for (; next < sorted.size() && sorted[next].begin <= at; ++next) {
    const Extent& part = sorted[next];
    const bool farther = best == nullptr || part.end() > best->end();
    const bool safer =
        best != nullptr && part.end() == best->end() && part.is_archived() && !best->is_archived();
    best = farther || safer ? &part : best;
  }
  return best != nullptr && best->end() > at ? best : nullptr;
}

}  // namespace

StoredLog StoredLog::FromParts(std::vector<Extent> parts, const std::vector<FoundEnd>& ends) {
  StoredLog log;
  std::ranges::sort(parts, [](const Extent& a, const Extent& b) {
    return std::pair(a.begin, a.end()) < std::pair(b.begin, b.end());
  });
  std::uint64_t at = 0;
  bool archived_so_far = true;
  std::size_t next = 0;
  const Extent* best = nullptr;
  while (true) {
    best = BestFrom(at, parts, next, best);
    if (best == nullptr) {
      // A gap. What lies in the archive behind it was forgotten by its sender, so nobody will fill
      // it; what lies among the arrivals will be sent again.
      const auto behind = std::find_if(parts.begin() + static_cast<std::ptrdiff_t>(next),
                                       parts.end(), std::mem_fn(&Extent::is_archived));
      if (behind == parts.end()) {
        break;
      }
      at = behind->begin;
      log.progress_.checksum.reset();
      continue;
    }
    Extent extent = *best;
    extent.skip += at - extent.begin;
    extent.length -= at - extent.begin;
    extent.begin = at;
    auto& checksum = log.progress_.checksum;
    if (extent.skip > 0) {
      checksum.reset();
    } else if (checksum) {
      checksum = base::Crc32OfBoth(*checksum, extent.record.checksum, extent.length);
    }
    at = extent.end();
    archived_so_far = archived_so_far && extent.is_archived();
    log.archived_ = archived_so_far ? at : log.archived_;
    log.extents_.emplace(extent.begin, std::move(extent));
  }
  for (const auto& [end, file] : ends) {
    at = file == nullptr && !end.cut ? std::max(at, model::KeptLength(end)) : at;
    log.archived_ = file == nullptr && !end.cut ? at : log.archived_;
  }
  log.progress_.received = at;
  for (const auto& [end, file] : ends) {
    const bool overtaken =
        end.cut && (at > model::KeptLength(end) || (log.progress_.end && !log.progress_.end->cut));
    if (!overtaken) {
      log.progress_.end = end;
      log.end_file_ = file;
    }
  }
  return log;
}

}  // namespace store::logs
