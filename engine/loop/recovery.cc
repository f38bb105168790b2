// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/recovery.h"

#include <map>
#include <utility>

namespace engine::loop {
namespace {

// Most runs share few plans, and to ask a database for each takes a while.
class Plans {
 public:
  explicit Plans(ports::PlanSource& source) : source_(source) {}

  base::StatusOr<model::PlanRef> Of(const model::RunAccepted& accepted) {
    model::PlanRef& plan = known_[accepted.plan];
    if (plan == nullptr) {
      base::StatusOr<model::PlanRef> loaded = source_.LoadPlan(accepted.plan);
      if (loaded.status().code() == absl::StatusCode::kNotFound) {
        return base::DataLoss("run {}: {}", ToText(accepted.run), base::Message(loaded.status()));
      }
      if (!loaded.ok()) {
        // The store may be out of reach for a moment: its own code says whether to try again.
        return base::Annotate(loaded.status(), fmt::format("run {}", ToText(accepted.run)));
      }
      plan = *std::move(loaded);
    }
    return plan;
  }

 private:
  ports::PlanSource& source_;
  std::map<model::PlanDigest, model::PlanRef> known_;
};

base::Status ApplyAll(const std::vector<model::Fact>& facts, Plans& plans, core::EngineCore& core) {
  for (const model::Fact& fact : facts) {
    model::PlanRef plan;
    if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
      ASSIGN_OR_RETURN(plan, plans.Of(*accepted));
    }
    core.Apply(fact, plan);
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<RecoveredCore> RecoverCore(ports::RunStore& store) {
  ASSIGN_OR_RETURN(ports::Recovered recovered, store.Recover());
  RecoveredCore out;
  Plans plans(store);
  out.core = std::make_unique<core::EngineCore>();
  out.seq = recovered.seq;
  out.last_at = recovered.last_at;
  if (recovered.snapshot != nullptr) {
    out.snapshot_seq = recovered.snapshot->seq;
    out.snapshot_facts = recovered.snapshot->facts.size();
    RETURN_IF_ERROR(ApplyAll(recovered.snapshot->facts, plans, *out.core));
  }
  for (const ports::FactRow& row : recovered.tail) {
    RETURN_IF_ERROR(ApplyAll(row.facts, plans, *out.core));
  }
  out.tail = std::move(recovered.tail);
  return out;
}

base::StatusOr<Reread> RereadCore(ports::RunStore& store, std::uint64_t seen) {
  Reread out;
  ASSIGN_OR_RETURN(out.recovered, RecoverCore(store));
  if (out.recovered.seq < seen) {
    return base::DataLoss("the log has {} facts, but {} were durable", out.recovered.seq, seen);
  }
  std::uint64_t seq = out.recovered.snapshot_seq;
  if (seq > seen) {
    // A commit whose outcome was unknown brought a snapshot along: the tail does not hold them.
    RETURN_IF_ERROR(store.ReadAfter(seen, [&out](const ports::FactRow& row) {
      out.missed.push_back(row);
      return true;
    }));
    return out;
  }
  for (const ports::FactRow& row : out.recovered.tail) {
    if (seq >= seen) {
      out.missed.push_back(row);
    }
    seq += row.facts.size();
  }
  return out;
}

}  // namespace engine::loop
