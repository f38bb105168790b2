// SPDX-License-Identifier: Apache-2.0
// What must hold between jobs that share something: groups, approvals, the limit of a matrix.
#include <algorithm>

#include <fmt/format.h>

#include "tests/sim/invariants.h"

namespace tests::sim {

using namespace engine::model;  // NOLINT(google-build-using-namespace)
using engine::base::AsIndex;

void Invariants::CheckGates(const AttemptKey& key, const Run& run, Job& job) {
  const JobSpec& spec = SpecOf(*run.plan, key.job);
  if (run.queued) {
    Fail(fmt::format("{}: assigned although its run waits for room", Where(key)));
  }
  const bool wants_room = !RareOf(spec).concurrency.empty() || RareOf(spec).environment.has_value();
  if (wants_room && job.claims.empty()) {
    Fail(fmt::format("{}: assigned without asking for room", Where(key)));
  }
  if (RareOf(spec).approval && key.attempt == 1 && !job.approved) {
    Fail(fmt::format("{}: assigned without an approval", Where(key)));
  }
  if (job.must_ask && !job.approved) {
    Fail(fmt::format("{}: assigned although an effect may be done", Where(key)));
  }
  job.approved = false;
  job.must_ask = false;
}

// Those that have an attempt must fit by the claim of the newest.
void Invariants::CheckRoom(const GroupClaim& claim) {
  std::uint32_t holding = 0;
  const auto count = [&](const std::vector<GroupClaim>& claims) {
    holding += std::ranges::find(claims, claim.group, &GroupClaim::group) != claims.end() ? 1 : 0;
  };
  for (const auto& [id, run] : runs_) {
    for (const Job& job : run.jobs) {
      if (job.open) {
        count(job.claims);
      }
    }
  }
  if (holding > claim.max) {
    Fail(fmt::format("{} hold {}, which has room for {}", holding, ToText(claim.group), claim.max));
  }
}

void Invariants::Check(const RunQueued& fact) {
  if (Run* run = Find(fact.run)) {
    run->claims = fact.claims;
    run->queued = true;
  }
}

void Invariants::Check(const RunAdmitted& fact) {
  Run* run = Find(fact.run);
  if (run == nullptr) {
    return;
  }
  run->queued = false;
  for (const GroupClaim& claim : run->claims) {
    const auto holds = [&](const auto& entry) {
      const Run& other = entry.second;
      return !other.queued && !other.ended && !other.claims.empty() &&
             other.claims[0].group == claim.group;
    };
    if (std::ranges::count_if(runs_, holds) > claim.max) {
      Fail(fmt::format("run {} was admitted without room", fact.run.value()));
    }
  }
}

void Invariants::Check(const JobQueued& fact) {
  if (Run* run = Find(fact.run)) {
    run->jobs[AsIndex(fact.job)].claims = fact.claims;
  }
}

void Invariants::Check(const ApprovalDecided& fact) {
  if (Run* run = Find(fact.run)) {
    run->jobs[AsIndex(fact.job)].approved = fact.approved;
  }
}

void Invariants::CheckMatrixLimit(const Run& run, JobIndex job) {
  const JobSpec& spec = SpecOf(*run.plan, job);
  if (spec.matrix == nullptr || spec.matrix->max_parallel == 0) {
    return;
  }
  std::uint32_t open = 0;
  for (std::uint32_t i = 0; i < spec.matrix->cell_count; ++i) {
    open += run.jobs[AsIndex(CellAt(*spec.matrix, i))].open ? 1 : 0;
  }
  if (open > spec.matrix->max_parallel) {
    Fail(fmt::format("{}: more cells at once than max_parallel", spec.name));
  }
}

}  // namespace tests::sim
