// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/groups.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/check.h"

namespace engine::placement {

void Groups::Add(Ticket ticket, Claimant claimant) {
  for (const model::GroupClaim& claim : claimant.claims) {
    groups_[claim.group].waiting.insert(ticket);
  }
  CHECK_MSG(claimants_.emplace(ticket, std::move(claimant)).second, "a ticket given twice");
}

void Groups::Admit(Ticket ticket) {
  Claimant& claimant = claimants_.at(ticket);
  claimant.holds = true;
  for (const model::GroupClaim& claim : claimant.claims) {
    Group& group = groups_.at(claim.group);
    group.waiting.erase(ticket);
    group.holding.insert(ticket);
  }
}

void Groups::Remove(Ticket ticket) {
  const auto claimant = claimants_.find(ticket);
  CHECK_MSG(claimant != claimants_.end(), "a ticket that nobody has");
  for (const model::GroupClaim& claim : claimant->second.claims) {
    const auto group = groups_.find(claim.group);
    if (group == groups_.end()) {
      continue;  // it was claimed twice
    }
    group->second.waiting.erase(ticket);
    group->second.holding.erase(ticket);
    if (group->second.waiting.empty() && group->second.holding.empty()) {
      groups_.erase(group);
    }
  }
  claimants_.erase(claimant);
}

bool Groups::MayEnter(Ticket ticket) const {
  const Claimant& claimant = claimants_.at(ticket);
  return !claimant.holds && std::all_of(claimant.claims.begin(), claimant.claims.end(),
                                        [&](const model::GroupClaim& claim) {
                                          const Group& group = groups_.at(claim.group);
                                          return *group.waiting.begin() == ticket &&
                                                 group.holding.size() < claim.max;
                                        });
}

bool Groups::IsFree(const model::GroupClaim& claim) const {
  const Group& group = Of(claim.group);
  return group.waiting.empty() && group.holding.size() < claim.max;
}

const Groups::Group& Groups::Of(const model::GroupName& group) const {
  static const Group kEmpty;
  const auto found = groups_.find(group);
  return found == groups_.end() ? kEmpty : found->second;
}

std::size_t Groups::PlaceOf(const model::GroupName& group, Ticket ticket) const {
  const std::set<Ticket>& waiting = Of(group).waiting;
  return static_cast<std::size_t>(std::distance(waiting.begin(), waiting.upper_bound(ticket)));
}

}  // namespace engine::placement
