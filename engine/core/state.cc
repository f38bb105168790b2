// SPDX-License-Identifier: Apache-2.0
#include "engine/core/state.h"

#include <tuple>

namespace engine::core {

bool DeadlineLess::operator()(const DeadlineEntry& a, const DeadlineEntry& b) const {
  if (a.at != b.at) {
    return a.at < b.at;
  }
  return std::tuple(a.run->id(), a.job) < std::tuple(b.run->id(), b.job);
}

void DeadlineTrack::operator()(const DeadlineEntry& entry, std::uint32_t position) const {
  if (entry.job == kNoJob) {
    entry.run->deadline_position = position;
  } else {
    entry.run->job(entry.job).deadline_position = position;
  }
}

bool WorkerLess::operator()(const WorkerState* a, const WorkerState* b) const {
  if (placement::LessLoaded(a->load(), b->load())) {
    return true;
  }
  return !placement::LessLoaded(b->load(), a->load()) && a->id() < b->id();
}

void WorkerTrack::operator()(WorkerState* worker, std::uint32_t position) const {
  worker->heap_position = position;
}

RunState* State::FindRun(model::RunId run) {
  const auto found = runs.find(run);
  return found == runs.end() ? nullptr : found->second.get();
}

const RunState* State::FindRun(model::RunId run) const {
  const auto found = runs.find(run);
  return found == runs.end() ? nullptr : found->second.get();
}

PoolState& State::UsePool(std::string_view name) {
  auto found = pools.find(name);
  if (found == pools.end()) {
    found = pools.emplace(std::string(name), PoolState{}).first;
    found->second.name = name;
  }
  ++found->second.users;
  return found->second;
}

void State::LeavePool(PoolState& pool) {
  if (--pool.users == 0) {
    pools.erase(pools.find(pool.name));
  }
}

WorkerState* State::FindWorker(model::WorkerId worker) {
  const auto found = workers.find(worker);
  return found == workers.end() ? nullptr : found->second.get();
}

}  // namespace engine::core
