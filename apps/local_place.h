// SPDX-License-Identifier: Apache-2.0
// Which jobs this machine cannot run, known before the run exists.
#pragma once

#include <vector>

#include "dsl/activation.h"
#include "dsl/diagnostic.h"
#include "engine/model/place.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"

namespace apps {

/// An error for each job that asks for what is not in `offer` and will certainly be reached. One
/// that only the run decides about (its `if`, a need that must fail, a `for_each`) has none: should
/// its turn come, it fails with the same words.
std::vector<dsl::Diagnostic> UnfitJobs(const engine::model::Plan& plan,
                                       const std::vector<engine::model::SpecIndex>& not_selected,
                                       const dsl::Event& event,
                                       const std::vector<engine::model::NamedValue>& inputs,
                                       const engine::model::WorkerOffer& offer);

}  // namespace apps
