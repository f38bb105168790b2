// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/liveness.h"

#include <algorithm>

namespace engine::loop {

bool Liveness::Touch(model::WorkerId worker, model::SessionId session, base::Instant now) {
  const auto [found, added] = watches_.try_emplace(worker);
  Watch& watch = found->second;
  if (!added && session < watch.session) {
    return false;
  }
  // An unconfirmed one may stand as suspected in the log we took over.
  const bool returned = !added && session == watch.session && watch.phase != Phase::kAlive;
  watch.session = session;
  watch.phase = Phase::kAlive;
  watch.heard = std::max(watch.heard, now);
  return returned;
}

void Liveness::AddUnconfirmed(model::WorkerId worker, model::SessionId session, base::Instant now) {
  Watch& watch = watches_[worker];
  watch.session = session;
  watch.phase = Phase::kUnconfirmed;
  watch.heard = now;
}

bool Liveness::Suspect(model::WorkerId worker, model::SessionId session) {
  const auto found = watches_.find(worker);
  if (found == watches_.end() || found->second.session != session || found->second.exempt ||
      found->second.phase == Phase::kSuspected || found->second.phase == Phase::kSilent) {
    return false;
  }
  found->second.phase = Phase::kSuspected;
  return true;
}

void Liveness::Exempt(model::WorkerId worker) {
  watches_[worker].exempt = true;
}

void Liveness::Forget(model::WorkerId worker) {
  watches_.erase(worker);
}

void Liveness::Clear() {
  watches_.clear();
}

std::optional<base::Instant> Liveness::DueAt(const Watch& watch) const {
  if (watch.exempt) {
    return std::nullopt;
  }
  switch (watch.phase) {
    case Phase::kAlive:
      return watch.heard + options_.suspect_after;
    case Phase::kUnconfirmed:
      return watch.heard + options_.unconfirmed_for;
    case Phase::kSuspected:
      return watch.heard + options_.silent_after;
    case Phase::kSilent:
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<model::Input> Liveness::Check(base::Instant now) {
  std::vector<model::Input> out;
  for (auto& [worker, watch] : watches_) {
    // Alive may become silent in one check, when nobody looked for long: both are said, in order.
    for (auto due = DueAt(watch); due && *due <= now; due = DueAt(watch)) {
      if (watch.phase == Phase::kAlive) {
        watch.phase = Phase::kSuspected;
        out.push_back(model::WorkerSuspected{worker, watch.session});
      } else {
        watch.phase = Phase::kSilent;
        out.push_back(model::WorkerSilent{worker, watch.session});
      }
    }
  }
  return out;
}

std::optional<base::Instant> Liveness::NextCheck() const {
  std::optional<base::Instant> next;
  for (const auto& [worker, watch] : watches_) {
    const auto due = DueAt(watch);
    if (due && (!next || *due < *next)) {
      next = due;
    }
  }
  return next;
}

}  // namespace engine::loop
