// SPDX-License-Identifier: Apache-2.0
// Reports of attempts on the wire.
#pragma once

#include "api/wire/agent.pb.h"
#include "engine/base/status.h"
#include "engine/model/agent_message.h"

namespace api::wire {

void ToWire(const engine::model::NumberedReport& report, dayfly::v1::Report* out);
/// The lease has the attempt only: worker and session are known from the stream.
engine::base::StatusOr<engine::model::NumberedReport> ReportFrom(const dayfly::v1::Report& report);

}  // namespace api::wire
