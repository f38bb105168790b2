// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/recovery.h"

#include <utility>

namespace engine::loop {
namespace {

base::Status ApplyAll(const std::vector<model::Fact>& facts, ports::PlanSource& plans,
                      core::EngineCore& core) {
  for (const model::Fact& fact : facts) {
    model::PlanRef plan;
    if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
      auto loaded = plans.LoadPlan(accepted->plan);
      if (!loaded.ok()) {
        return base::DataLoss("run {}: {}", ToText(accepted->run), base::Message(loaded.status()));
      }
      plan = *std::move(loaded);
    }
    core.Apply(fact, plan);
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<RecoveredCore> RecoverCore(ports::RunStore& store) {
  ASSIGN_OR_RETURN(ports::Recovered recovered, store.Recover());
  RecoveredCore out;
  out.core = std::make_unique<core::EngineCore>();
  out.seq = recovered.seq;
  out.last_at = recovered.last_at;
  if (recovered.snapshot != nullptr) {
    out.snapshot_seq = recovered.snapshot->seq;
    out.snapshot_facts = recovered.snapshot->facts.size();
    RETURN_IF_ERROR(ApplyAll(recovered.snapshot->facts, store, *out.core));
  }
  for (const ports::FactRow& row : recovered.tail) {
    RETURN_IF_ERROR(ApplyAll(row.facts, store, *out.core));
  }
  out.tail = std::move(recovered.tail);
  return out;
}

}  // namespace engine::loop
