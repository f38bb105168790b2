// SPDX-License-Identifier: Apache-2.0
#include "engine/core/state.h"

#include <algorithm>
#include <tuple>

#include "engine/placement/fit.h"

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

bool RoomLess::operator()(const RoomEntry& a, const RoomEntry& b) const {
  if (placement::LessLoaded(a.worker->load(), b.worker->load())) {
    return true;
  }
  return !placement::LessLoaded(b.worker->load(), a.worker->load()) &&
         a.worker->id() < b.worker->id();
}

void RoomTrack::operator()(const RoomEntry& entry, std::uint32_t position) const {
  entry.worker->seats[entry.place].position = position;
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
    found->second.places.push_back(std::make_unique<PlaceState>());
  }
  ++found->second.users;
  return found->second;
}

void State::LeavePool(PoolState& pool) {
  if (--pool.users == 0) {
    pools.erase(pools.find(pool.name));
  }
}

PlaceState& State::UsePlace(PoolState& pool, const model::PlaceNeed& need) {
  if (need == model::PlaceNeed()) {
    ++pool.places.front()->users;
    return *pool.places.front();
  }
  const auto known = pool.place_of.find(need);
  if (known != pool.place_of.end()) {
    ++pool.places[known->second]->users;
    return *pool.places[known->second];
  }
  const auto free = std::find(pool.places.begin(), pool.places.end(), nullptr);
  const auto number = static_cast<std::uint32_t>(free - pool.places.begin());
  if (free == pool.places.end()) {
    pool.places.emplace_back();
  }
  pool.place_of.emplace(need, number);
  pool.places[number] = std::make_unique<PlaceState>();
  PlaceState& place = *pool.places[number];
  place.need = need;
  place.number = number;
  place.users = 1;
  for (const auto& [id, worker] : workers) {
    if (worker->pool == &pool) {
      SeatAt(*worker, place);
    }
  }
  return place;
}

void State::LeavePlace(PoolState& pool, PlaceState& place) {
  if (--place.users == 0 && place.number != 0) {
    pool.place_of.erase(place.need);
    pool.places[place.number].reset();
  }
}

void State::SeatAt(WorkerState& worker, PlaceState& place) {
  if (worker.seats.size() <= place.number) {
    worker.seats.resize(place.number + 1);
  }
  const bool fits = placement::Fits(place.need, worker.joined.offer);
  worker.seats[place.number] = {.position = kNotInHeap, .fits = fits};
  if (fits && worker.phase != WorkerPhase::kLost) {
    ++place.fitting;
    UpdateRoom(worker, place);
  }
}

void State::UpdateRoom(WorkerState& worker, PlaceState& place) {
  const WorkerSeat seat = worker.seats[place.number];
  const bool has_room =
      seat.fits && worker.phase == WorkerPhase::kPresent && !worker.draining.has_value() &&
      placement::HasRoom(worker.load(), worker.joined.ahead_max) &&
      placement::HasFree(place.need.resources, worker.joined.offer.resources, worker.used);
  const bool listed = seat.position != kNotInHeap;
  const RoomEntry entry{.worker = &worker, .place = place.number};
  if (has_room && listed) {
    place.with_room.Change(seat.position, entry);
  } else if (has_room) {
    place.with_room.Push(entry);
  } else if (listed) {
    place.with_room.Remove(seat.position);
  }
}

WorkerState* State::FindWorker(model::WorkerId worker) {
  const auto found = workers.find(worker);
  return found == workers.end() ? nullptr : found->second.get();
}

}  // namespace engine::core
