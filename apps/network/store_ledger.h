// SPDX-License-Identifier: Apache-2.0
// What all runs of a server want to be kept of the artifact store, learned from its log. Each look
// reads only what is new since the last; what it knows and how far it read stands in a file, so
// that another server goes on from there. Without the file the whole log is read once. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apps/wanted_chunks.h"
#include "engine/base/status.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/ports/run_store.h"

namespace apps::network {

class StoreLedger {
 public:
  /// What an earlier `Save` wrote; a file that is missing or no such is as good as none.
  void Load(const std::string& path);
  engine::base::Status Save(const std::string& path) const;

  /// Reads on in the log. An error leaves what was known before, or more.
  engine::base::Status CatchUp(engine::ports::RunStore& store);

  /// What has not expired at `now`, and everything of runs that are open. Forgets the rest.
  std::vector<WantedChunk> Take(engine::base::Instant now);

  std::uint64_t read() const { return seq_; }

 private:
  struct Run {
    bool is_open = true;
    engine::model::PlanDigest plan;
    /// Behind the plan's jobs: whose they are, and how many, in the order in which the run grew.
    std::vector<std::pair<engine::model::SpecIndex, std::uint32_t>> grown;
    std::vector<WantedChunk> wanted;
  };
  engine::base::Status Apply(const engine::model::Fact& fact, engine::ports::RunStore& store);
  engine::base::Status Want(Run& run, engine::model::JobIndex job,
                            const engine::model::JobResult& result, engine::base::Instant at,
                            engine::ports::RunStore& store);
  engine::base::Status Grow(Run& run, const engine::model::Expansion& expansion,
                            engine::ports::RunStore& store);
  engine::base::StatusOr<engine::model::PlanRef> PlanOf(const Run& run,
                                                        engine::ports::RunStore& store);

  std::uint64_t seq_ = 0;  ///< facts read
  std::map<engine::model::RunId, Run> runs_;
  std::map<engine::model::PlanDigest, engine::model::PlanRef> plans_;  ///< while it catches up
};

}  // namespace apps::network
