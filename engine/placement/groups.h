// SPDX-License-Identifier: Apache-2.0
// Room that runs and jobs share by name: who holds it, who waits for it, in which order. Pure.
//
// A claimant takes all of its groups in one step or waits for all of them, and asks for nothing
// more while it holds some: so nobody waits for somebody who waits. Nobody overtakes in a group:
// whoever asked first goes first, even where the one behind would fit, so that one that wants
// several groups is not starved by those that want one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "engine/model/ids.h"
#include "engine/model/run_context.h"

namespace engine::placement {

/// Rises with each who asks: the order of the queue.
using Ticket = std::uint64_t;

struct Claimant {
  model::RunId run;
  std::optional<model::JobIndex> job;  ///< nothing: the run itself
  std::vector<model::GroupClaim> claims;
  bool holds = false;
};

class Groups {
 public:
  struct Group {
    std::set<Ticket> holding;
    std::set<Ticket> waiting;
  };

  /// Above all tickets in use.
  Ticket Next() const { return claimants_.empty() ? 1 : claimants_.rbegin()->first + 1; }

  /// It waits from now on. `ticket` is not in use.
  void Add(Ticket ticket, Claimant claimant);
  /// It holds all of its groups from now on, whether or not there is room: that was decided before.
  void Admit(Ticket ticket);
  void Remove(Ticket ticket);

  /// It waits, is the first of those that wait for each of its groups, and each has room.
  bool MayEnter(Ticket ticket) const;
  /// Somebody new with this claim would enter at once.
  bool IsFree(const model::GroupClaim& claim) const;

  const Claimant& At(Ticket ticket) const { return claimants_.at(ticket); }
  const std::map<Ticket, Claimant>& claimants() const { return claimants_; }
  /// Never null; a group that nobody names is empty.
  const Group& Of(const model::GroupName& group) const;
  /// Of those that wait for `group`, from 1.
  std::size_t PlaceOf(const model::GroupName& group, Ticket ticket) const;

 private:
  std::map<Ticket, Claimant> claimants_;
  std::map<model::GroupName, Group> groups_;
};

}  // namespace engine::placement
