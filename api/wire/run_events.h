// SPDX-License-Identifier: Apache-2.0
// Events of a run as its watchers get them: one for each of its facts. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "api/wire/run_outline.h"
#include "api/wire/runs.pb.h"
#include "engine/model/fact.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

/// Of a fact about a run; one about workers gives an event without a body.
pb::RunEvent EventOf(const model::Fact& fact);

/// What the event says of `run`, with as much as travels: enough for the views. Nothing when it has
/// no body that this build knows. `InvalidArgument` names the field: a job or step that the outline
/// does not have, no status.
base::StatusOr<std::optional<model::Fact>> FactOf(const pb::RunEvent& event,
                                                  const OutlinedRun& run);

using JobCounts = std::array<std::uint32_t, model::kStatusCount>;
void ToWire(const JobCounts& counts, google::protobuf::RepeatedPtrField<pb::StatusCount>* out);
base::StatusOr<JobCounts> JobCountsFrom(
    const google::protobuf::RepeatedPtrField<pb::StatusCount>& counts, std::string_view field);

}  // namespace api::wire
