// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/deployment_book.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "engine/model/expand.h"

namespace store::sqlite {

namespace base = engine::base;
namespace model = engine::model;
using base::Status;

Status DeploymentBook::Take(const model::Fact& fact) {
  if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
    OpenRun& run = open_[accepted->run] = {};
    run.context = accepted->context;
    run.plan = accepted->plan;
    return base::OkStatus();
  }
  const auto found = open_.find(model::RunOf(fact));
  if (found == open_.end()) {
    return base::OkStatus();
  }
  OpenRun& run = found->second;
  if (const auto* queued = std::get_if<model::JobQueued>(&fact.body)) {
    return Claim(run, *queued, fact.at);
  }
  run.deployments.Apply(fact);
  if (const auto* expanded = std::get_if<model::JobsExpanded>(&fact.body)) {
    run.expanded.push_back(expanded->expansion);
    run.grown = nullptr;
  } else if (std::holds_alternative<model::RunEnded>(fact.body)) {
    std::ranges::move(run.deployments.List(), std::back_inserter(over_));
    open_.erase(found);
  }
  return base::OkStatus();
}

Status DeploymentBook::Grow(OpenRun& run) {
  ASSIGN_OR_RETURN(run.grown, plans_.LoadPlan(run.plan));
  for (const model::Expansion& expansion : run.expanded) {
    run.grown = model::Expand(*run.grown, expansion);
  }
  return base::OkStatus();
}

Status DeploymentBook::Claim(OpenRun& run, const model::JobQueued& queued, base::Instant at) {
  if (queued.environment.empty()) {
    return base::OkStatus();
  }
  if (run.grown == nullptr) {
    RETURN_IF_ERROR(Grow(run));
  }
  run.deployments.Claim(queued, at, *run.context, *run.grown);
  return base::OkStatus();
}

void DeploymentBook::Clear() {
  open_.clear();
  over_.clear();
}

std::vector<model::Deployment> DeploymentBook::List() const {
  std::vector<model::Deployment> out = over_;
  for (const auto& [run, state] : open_) {
    std::ranges::move(state.deployments.List(), std::back_inserter(out));
  }
  return out;
}

}  // namespace store::sqlite
