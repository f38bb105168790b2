// SPDX-License-Identifier: Apache-2.0
#include "store/codec/place.h"

#include <cstddef>
#include <cstdint>

namespace store::codec {

namespace model = engine::model;
using google::protobuf::RepeatedPtrField;

void PutLabels(const std::vector<model::Label>& labels, RepeatedPtrField<pb::Label>* out) {
  for (const model::Label& label : labels) {
    pb::Label* entry = out->Add();
    entry->set_name(label.name);
    entry->set_value(label.value);
  }
}

std::vector<model::Label> GetLabels(const RepeatedPtrField<pb::Label>& labels) {
  std::vector<model::Label> out;
  out.reserve(static_cast<std::size_t>(labels.size()));
  for (const pb::Label& label : labels) {
    out.push_back({.name = label.name(), .value = label.value()});
  }
  return out;
}

void PutResources(const model::Resources& resources, pb::Resources* out) {
  out->set_cpu_millis(resources.cpu_millis);
  out->set_memory(resources.memory);
  out->set_disk(resources.disk);
  out->set_gpus(resources.gpus);
}

model::Resources GetResources(const pb::Resources& resources) {
  return {.cpu_millis = resources.cpu_millis(),
          .memory = resources.memory(),
          .disk = resources.disk(),
          .gpus = resources.gpus()};
}

void PutOffer(const model::WorkerOffer& offer, pb::WorkerOffer* out) {
  PutLabels(offer.labels, out->mutable_labels());
  for (const model::SandboxOffer& sandbox : offer.sandboxes) {
    pb::SandboxOffer* entry = out->add_sandboxes();
    entry->set_kind(static_cast<std::uint32_t>(sandbox.kind));
    entry->set_cuts_network(sandbox.cuts_network);
  }
  PutResources(offer.resources, out->mutable_resources());
}

model::WorkerOffer GetOffer(const pb::WorkerOffer& offer) {
  model::WorkerOffer out;
  out.labels = GetLabels(offer.labels());
  out.sandboxes.clear();
  for (const pb::SandboxOffer& sandbox : offer.sandboxes()) {
    out.sandboxes.push_back({.kind = static_cast<model::SandboxKind>(sandbox.kind()),
                             .cuts_network = sandbox.cuts_network()});
  }
  out.resources = GetResources(offer.resources());
  return out;
}

}  // namespace store::codec
