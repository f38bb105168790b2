// SPDX-License-Identifier: Apache-2.0
// The words that several services share (`common.proto`), to and from the model's values. What
// comes in is checked: `InvalidArgument` with the field's name in front, "events[2].step: ...".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/wire/common.pb.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"

namespace api::wire {

namespace pb = dayfly::v1;

// ---- errors that name the field

/// "<field>: <what>".
engine::base::Status BadField(std::string_view field, std::string_view what);
/// The error of something inside `field`: "<field>.<message>". OK stays OK.
engine::base::Status Inside(std::string_view field, const engine::base::Status& status);
/// The same for an element: "<field>[<index>].<message>".
engine::base::Status Inside(std::string_view field, int index, const engine::base::Status& status);

// ---- numbers

/// From 0 to ten years.
engine::base::StatusOr<engine::base::Duration> DurationFrom(std::int64_t micros,
                                                            std::string_view field);

// ---- values

pb::Status ToWire(engine::model::Status status);
engine::base::StatusOr<engine::model::Status> StatusFrom(pb::Status status, std::string_view field);

void ToWire(const engine::model::Reason& reason, pb::Reason* out);
engine::base::StatusOr<engine::model::Reason> ReasonFrom(const pb::Reason& reason);

void ToWire(const engine::model::AttemptKey& key, pb::AttemptKey* out);
engine::base::StatusOr<engine::model::AttemptKey> AttemptKeyFrom(const pb::AttemptKey& key);

std::string ToWire(const engine::base::Digest& digest);
/// `InvalidArgument` names `digest`.
engine::base::StatusOr<engine::base::Digest> DigestFrom(const std::string& bytes);

void ToWire(const engine::model::NamedValue& value, pb::NamedValue* out);
template <typename Repeated>
void ToWire(const std::vector<engine::model::NamedValue>& values, Repeated* out) {
  for (const engine::model::NamedValue& value : values) {
    ToWire(value, out->Add());
  }
}
template <typename Repeated>
std::vector<engine::model::NamedValue> NamedValuesFrom(const Repeated& values) {
  std::vector<engine::model::NamedValue> list;
  list.reserve(static_cast<std::size_t>(values.size()));
  for (const pb::NamedValue& value : values) {
    list.push_back({.name = value.name(), .value = value.json()});
  }
  return list;
}

void ToWire(const engine::model::SpilledOutput& output, pb::SpilledOutput* out);
using SpilledOutputs = google::protobuf::RepeatedPtrField<pb::SpilledOutput>;
void ToWire(const std::vector<engine::model::SpilledOutput>& outputs, SpilledOutputs* out);
/// `InvalidArgument` names `spilled[N]`.
engine::base::StatusOr<std::vector<engine::model::SpilledOutput>> SpilledFrom(
    const SpilledOutputs& outputs);

void ToWire(const engine::model::Artifact& artifact, pb::Artifact* out);
engine::base::StatusOr<engine::model::Artifact> ArtifactFrom(const pb::Artifact& artifact);

void ToWire(const engine::model::JobRemarks& remarks, pb::JobRemarks* out);
engine::base::StatusOr<engine::model::JobRemarks> RemarksFrom(const pb::JobRemarks& remarks);

}  // namespace api::wire
