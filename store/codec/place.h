// SPDX-License-Identifier: Apache-2.0
// What jobs ask of workers and what workers offer, to their stored form and back: what plans and
// facts have in common. Internal to this folder.
#pragma once

#include <vector>

#include "engine/model/place.h"
#include "store/codec/place.pb.h"

namespace store::codec {

void PutLabels(const std::vector<engine::model::Label>& labels,
               google::protobuf::RepeatedPtrField<pb::Label>* out);
std::vector<engine::model::Label> GetLabels(
    const google::protobuf::RepeatedPtrField<pb::Label>& labels);

void PutResources(const engine::model::Resources& resources, pb::Resources* out);
engine::model::Resources GetResources(const pb::Resources& resources);

void PutOffer(const engine::model::WorkerOffer& offer, pb::WorkerOffer* out);
engine::model::WorkerOffer GetOffer(const pb::WorkerOffer& offer);

}  // namespace store::codec
