// SPDX-License-Identifier: Apache-2.0
// A run's outline: of a plan what people see of it. Back it becomes a plan with just that, enough
// for the views and for naming jobs and steps. Pure; any thread.
#pragma once

#include <memory>

#include "api/wire/runs.pb.h"
#include "api/wire/values.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

pb::RunOutline OutlineOf(model::RunId run, const model::Plan& plan,
                         const model::RunContext& context);

/// A run as its watcher knows it.
struct OutlinedRun {
  model::RunId run;
  model::PlanRef plan;
  std::shared_ptr<const model::RunContext> context;
};
base::StatusOr<OutlinedRun> OutlinedRunFrom(const pb::RunOutline& outline);

}  // namespace api::wire
