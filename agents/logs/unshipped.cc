// SPDX-License-Identifier: Apache-2.0
#include "agents/logs/unshipped.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <utility>

namespace agents::logs {

namespace base = engine::base;
namespace model = engine::model;

namespace {

// A line is numbers behind a letter, and ends with a point, so that a torn one is known.
std::string KeyText(const model::LogKey& key) {
  return fmt::format("{} {} {} {}", key.attempt.run.value(), key.attempt.job.value(),
                     key.attempt.attempt, key.step.value());
}

bool ReadKey(std::istream& in, model::LogKey& key) {
  std::uint64_t run = 0;
  std::uint32_t job = 0;
  std::uint32_t step = 0;
  if (!(in >> run >> job >> key.attempt.attempt >> step)) {
    return false;
  }
  key.attempt.run = model::RunId(run);
  key.attempt.job = model::JobIndex(job);
  key.step = model::StepIndex(step);
  return true;
}

std::string EndedLine(const model::LogKey& key, const Unshipped::Log& log) {
  std::string line =
      fmt::format("E {} {} {} {} {} {}", KeyText(key), log.slot, log.log.checksum,
                  log.log.truncated ? 1 : 0, log.log.lost_bytes, log.log.ranges.size());
  for (const model::LogRange& range : log.log.ranges) {
    line += fmt::format(" {} {} {}", range.segment, range.offset, range.length);
  }
  return line + " .\n";
}

std::string PositionLine(std::uint32_t slot, const SpoolPosition& position) {
  return fmt::format("P {} {} {} .\n", slot, position.segment, position.offset);
}

std::string BegunLine(std::uint32_t slot, const model::LogKey& key) {
  return fmt::format("B {} {} .\n", KeyText(key), slot);
}

std::string FreedLine(std::uint32_t slot, const FreedSegments& freed) {
  return fmt::format("F {} {} {} .\n", slot, freed.segment, freed.before);
}

}  // namespace

void Unshipped::Read(const std::string& line) {
  std::istringstream in(line);
  char kind = 0;
  in >> kind;
  model::LogKey key;
  std::string point;
  if (kind == 'D') {
    if (ReadKey(in, key) && in >> point) {
      logs_.erase(key);
    }
  } else if (kind == 'B') {
    std::uint32_t slot = 0;
    if (ReadKey(in, key) && in >> slot >> point) {
      begun_[slot] = {.key = key};
    }
  } else if (kind == 'F') {
    std::uint32_t slot = 0;
    FreedSegments freed;
    if (in >> slot >> freed.segment >> freed.before >> point && begun_.contains(slot)) {
      begun_[slot].freed = freed;
    }
  } else if (kind == 'P') {
    std::uint32_t slot = 0;
    SpoolPosition position;
    if (in >> slot >> position.segment >> position.offset >> point) {
      positions_[slot] = std::max(positions_[slot], position);
    }
  } else if (kind == 'E') {
    Log log;
    std::size_t count = 0;
    if (!ReadKey(in, key) ||
        !(in >> log.slot >> log.log.checksum >> log.log.truncated >> log.log.lost_bytes >> count)) {
      return;
    }
    for (model::LogRange range; count > 0 && in >> range.segment >> range.offset >> range.length;
         --count) {
      log.log.ranges.push_back(range);
    }
    if (count == 0 && in >> point) {
      Ended(key, std::move(log));
    }
  }
}

void Unshipped::Ended(const model::LogKey& key, Log log) {
  if (const auto end = EndOf(log.log)) {
    positions_[log.slot] = std::max(positions_[log.slot], *end);
  }
  if (const auto begun = begun_.find(log.slot); begun != begun_.end() && begun->second.key == key) {
    begun_.erase(begun);
  }
  logs_.insert_or_assign(key, std::move(log));
}

base::Status Unshipped::Open(const std::string& path) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    Read(line);
  }
  const std::string next = path + ".new";
  file_.open(next, std::ios::trunc);
  for (const auto& [slot, position] : positions_) {
    file_ << PositionLine(slot, position);
  }
  for (const auto& [slot, begun] : begun_) {
    file_ << BegunLine(slot, begun.key);
    if (begun.freed) {
      file_ << FreedLine(slot, *begun.freed);
    }
  }
  for (const auto& [key, log] : logs_) {
    file_ << EndedLine(key, log);
  }
  file_.flush();
  if (!file_ || std::rename(next.c_str(), path.c_str()) != 0) {
    return base::FromErrno(errno, "write " + path);
  }
  return base::OkStatus();
}

base::Status Unshipped::Begin(std::uint32_t slot, const model::LogKey& key) {
  if (const auto begun = begun_.find(slot); begun != begun_.end() && begun->second.key == key) {
    return base::OkStatus();
  }
  begun_[slot] = {.key = key};
  return Write(BegunLine(slot, key));
}

base::Status Unshipped::Free(std::uint32_t slot, const FreedSegments& freed) {
  begun_[slot].freed = freed;
  return Write(FreedLine(slot, freed));
}

base::Status Unshipped::Write(const std::string& line) {
  file_.clear();
  file_ << line << std::flush;
  return file_.good() ? base::OkStatus() : base::FromErrno(errno, "note what is not shipped");
}

base::Status Unshipped::Add(const model::LogKey& key, Log log) {
  const base::Status written = Write(EndedLine(key, log));
  Ended(key, std::move(log));
  return written;
}

void Unshipped::Remove(const model::LogKey& key) {
  if (logs_.erase(key) > 0) {
    file_ << "D " << KeyText(key) << " .\n" << std::flush;
  }
}

}  // namespace agents::logs
