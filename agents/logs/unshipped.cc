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
      if (const auto end = EndOf(log.log)) {
        positions_[log.slot] = std::max(positions_[log.slot], *end);
      }
      logs_.insert_or_assign(key, std::move(log));
    }
  }
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
  for (const auto& [key, log] : logs_) {
    file_ << EndedLine(key, log);
  }
  file_.flush();
  if (!file_ || std::rename(next.c_str(), path.c_str()) != 0) {
    return base::FromErrno(errno, "write " + path);
  }
  return base::OkStatus();
}

base::Status Unshipped::Add(const model::LogKey& key, Log log) {
  file_.clear();
  file_ << EndedLine(key, log) << std::flush;
  const bool written = file_.good();
  if (const auto end = EndOf(log.log)) {
    positions_[log.slot] = std::max(positions_[log.slot], *end);
  }
  logs_.insert_or_assign(key, std::move(log));
  return written ? base::OkStatus() : base::FromErrno(errno, "note an unshipped log");
}

void Unshipped::Remove(const model::LogKey& key) {
  if (logs_.erase(key) > 0) {
    file_ << "D " << KeyText(key) << " .\n" << std::flush;
  }
}

}  // namespace agents::logs
