// SPDX-License-Identifier: Apache-2.0
// The core's whole state as plain values, so that recovery need not replay from the beginning.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"

namespace engine::model {

/// Recovery is defined as "the newest snapshot, then the facts after it". A snapshot is itself a
/// list of facts: for each open run and present worker the ones whose replay rebuilds exactly this
/// state (what is superseded is left out). So there is one encoding and one `Apply`, and a fact
/// that a release can replay is a snapshot it can load.
struct Snapshot {
  std::uint64_t seq = 0;
  std::vector<Fact> facts;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

}  // namespace engine::model
