// SPDX-License-Identifier: Apache-2.0
// What a worker must not forget of its attempts, to bytes and back: for the agent's journal. Any
// thread. Damaged bytes are `DataLoss`.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/effect.h"
#include "engine/model/input.h"

namespace store::codec {

/// With its plan, which for an agent is that of one job.
std::string EncodeAssignment(const engine::model::Assignment& assignment);
engine::base::StatusOr<engine::model::Assignment> DecodeAssignment(std::string_view bytes);

std::string EncodeReport(const engine::model::AttemptReported& report);
engine::base::StatusOr<engine::model::AttemptReported> DecodeReport(std::string_view bytes);

}  // namespace store::codec
