// SPDX-License-Identifier: Apache-2.0
#include "store/logs/log_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace store::logs {

namespace base = engine::base;
namespace model = engine::model;

void RunLogs::Change(const model::LogKey& log, std::vector<std::function<void()>>& woken) {
  std::uint64_t& change = change_of[log];
  changes.erase(change);
  change = ++last_change;
  changes.emplace(change, log);
  std::ranges::move(waiting, std::back_inserter(woken));
  waiting.clear();
}

RunLogs LogBook::FromParts(FoundLogs found) {
  RunLogs run;
  std::vector<std::function<void()>> nobody;
  for (auto& [key, parts] : found) {
    StoredLog log = StoredLog::FromParts(std::move(parts.extents), parts.ends);
    if (!log.is_archived()) {
      run.unarchived.insert(key);
      run.waits_since = SteadyTime::min();
    }
    run.logs.emplace(key, std::move(log));
    run.Change(key, nobody);
  }
  return run;
}

base::Status LogBook::Visit(model::RunId id, const std::function<void(RunLogs&)>& use) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto run = runs_.find(id); run != runs_.end()) {
      run->second.used = std::chrono::steady_clock::now();
      use(run->second);
      return base::OkStatus();
    }
  }
  ASSIGN_OR_RETURN(FoundLogs found, archive_.Load(id));
  RunLogs loaded = FromParts(std::move(found));
  const std::lock_guard lock(mutex_);
  // Another thread may have been quicker; then its copy has the waiters.
  RunLogs& run = runs_.try_emplace(id, std::move(loaded)).first->second;
  run.used = std::chrono::steady_clock::now();
  use(run);
  return base::OkStatus();
}

void LogBook::VisitAll(const std::function<void(model::RunId, RunLogs&)>& use) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, run] : runs_) {
    use(id, run);
  }
}

base::Status LogBook::Recover(FoundLogs found) {
  while (!found.empty()) {
    const model::RunId id = found.begin()->first.attempt.run;
    ASSIGN_OR_RETURN(FoundLogs of_run, archive_.Load(id));
    for (auto log = found.begin(); log != found.end() && log->first.attempt.run == id;
         log = found.erase(log)) {
      FoundParts& parts = of_run[log->first];
      std::ranges::move(log->second.extents, std::back_inserter(parts.extents));
      // What lies in the archive stands last.
      parts.ends.insert(parts.ends.begin(), log->second.ends.begin(), log->second.ends.end());
    }
    const std::lock_guard lock(mutex_);
    runs_.insert_or_assign(id, FromParts(std::move(of_run)));
  }
  return base::OkStatus();
}

base::Status LogBook::Reload(model::RunId id) {
  ASSIGN_OR_RETURN(FoundLogs found, archive_.Load(id));
  std::vector<std::function<void()>> woken;
  {
    const std::lock_guard lock(mutex_);
    RunLogs& run = runs_[id];
    for (auto& [key, parts] : found) {
      StoredLog& log = run.logs[key];
      for (const auto& [begin, extent] : log.extents()) {
        parts.extents.push_back(extent);
      }
      if (log.progress().end) {
        parts.ends.insert(parts.ends.begin(), {*log.progress().end, log.end_file()});
      }
      log = StoredLog::FromParts(std::move(parts.extents), parts.ends);
      if (!log.is_archived()) {
        run.unarchived.insert(key);
        run.waits_since = std::min(run.waits_since, std::chrono::steady_clock::now());
      }
      run.Change(key, woken);
    }
  }
  for (const auto& wake : woken) {
    wake();
  }
  return base::OkStatus();
}

void LogBook::CountMemory(const model::LogKey& log, std::uint64_t begin, std::uint64_t bytes) {
  remembered_.push_back({.log = log, .begin = begin, .bytes = bytes});
  memory_bytes_ += bytes;
  while (memory_bytes_ > memory_bytes_max_ && remembered_.size() > 1) {
    DropMemory();
  }
}

void LogBook::DropMemory() {
  const Remembered oldest = remembered_.front();
  remembered_.pop_front();
  memory_bytes_ -= oldest.bytes;
  const auto run = runs_.find(oldest.log.attempt.run);
  if (run == runs_.end()) {
    return;
  }
  if (const auto log = run->second.logs.find(oldest.log); log != run->second.logs.end()) {
    log->second.Forget(oldest.begin);
  }
}

void LogBook::Forget(SteadyTime unused_since) {
  const std::lock_guard lock(mutex_);
  std::erase_if(runs_, [&](const auto& entry) {
    const RunLogs& run = entry.second;
    return run.used < unused_since && run.readers == 0 && run.waiting.empty() &&
           run.unarchived.empty();
  });
}

}  // namespace store::logs
