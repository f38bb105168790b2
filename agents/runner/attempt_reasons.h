// SPDX-License-Identifier: Apache-2.0
// How an attempt puts what went wrong into a reason.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"
#include "engine/expr/expression.h"
#include "engine/model/status.h"

namespace agents::runner {

bool IsTimeout(const engine::model::Reason& reason);

engine::model::Reason ReasonOf(engine::model::ReasonCode code, std::string subject,
                               std::int64_t detail = 0);
engine::model::Reason ReasonOf(engine::model::ReasonCode code, const engine::base::Status& status);

/// A step's own mistakes are told apart by the code that its status carries.
engine::model::Reason BadStep(const engine::base::Status& status);

/// With the hint, if there is one.
engine::base::Status AsStatus(const engine::expr::Error& error);

}  // namespace agents::runner
