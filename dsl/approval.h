// SPDX-License-Identifier: Apache-2.0
// What a person said to a job that asks, as the engine takes it. Pure.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "engine/base/status.h"
#include "engine/model/input.h"
#include "engine/model/plan.h"

namespace dsl {

struct GivenDecision {
  std::string job;  ///< a job, or a cell as `name[value]`
  bool approve = true;
  std::string by;
  std::vector<std::pair<std::string, std::string>> inputs;  ///< as text
};

/// The decision with its inputs' types checked and defaults filled in; whether all that is required
/// was given is the engine's to say. `NotFound`, `InvalidArgument` say what is wrong with the call.
engine::base::StatusOr<engine::model::DecideApproval> ReadDecision(engine::model::RunId run,
                                                                   const engine::model::Plan& plan,
                                                                   const GivenDecision& given);

}  // namespace dsl
