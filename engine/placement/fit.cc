// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/fit.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace engine::placement {
namespace {

using model::Label;
using model::NetworkKind;
using model::PlaceNeed;
using model::Resources;
using model::SandboxKind;
using model::SandboxOffer;
using model::WorkerOffer;

bool HasLabel(const Label& wanted, const std::vector<Label>& labels) {
  const auto found = std::ranges::lower_bound(labels, wanted.name, {}, &Label::name);
  return found != labels.end() && found->name == wanted.name &&
         (wanted.value.empty() || found->value == wanted.value);
}

bool HasSandbox(const PlaceNeed& need, const WorkerOffer& offer) {
  return std::ranges::any_of(offer.sandboxes, [&](const SandboxOffer& sandbox) {
    return (need.sandbox == SandboxKind::kAny || need.sandbox == sandbox.kind) &&
           (need.network != NetworkKind::kNone || sandbox.cuts_network);
  });
}

bool HasContainers(const WorkerOffer& offer) {
  return std::ranges::any_of(offer.sandboxes, [](const SandboxOffer& sandbox) {
    return sandbox.kind == SandboxKind::kContainer;
  });
}

std::string SandboxText(const PlaceNeed& need) {
  std::string text = need.sandbox == SandboxKind::kAny
                         ? "a sandbox"
                         : fmt::format("sandbox {}", ToText(need.sandbox));
  return need.network == NetworkKind::kNone ? text + " that cuts off the network" : text;
}

}  // namespace

bool HasFree(const Resources& asked, const Resources& offered, const Resources& used) {
  const auto fits = [&](std::uint64_t Resources::*part) {
    return asked.*part == 0 ||
           (used.*part <= offered.*part && asked.*part <= offered.*part - used.*part);
  };
  return fits(&Resources::cpu_millis) && fits(&Resources::memory) && fits(&Resources::disk) &&
         fits(&Resources::gpus);
}

void Add(const Resources& asked, Resources& used) {
  used.cpu_millis += asked.cpu_millis;
  used.memory += asked.memory;
  used.disk += asked.disk;
  used.gpus += asked.gpus;
}

void Subtract(const Resources& asked, Resources& used) {
  used.cpu_millis -= asked.cpu_millis;
  used.memory -= asked.memory;
  used.disk -= asked.disk;
  used.gpus -= asked.gpus;
}

bool Fits(const PlaceNeed& need, const WorkerOffer& offer) {
  return std::ranges::all_of(need.labels,
                             [&](const Label& label) { return HasLabel(label, offer.labels); }) &&
         HasFree(need.resources, offer.resources, {}) && HasSandbox(need, offer) &&
         (!need.service_images || HasContainers(offer));
}

std::vector<std::string> MissingFrom(const PlaceNeed& need, const WorkerOffer& offer) {
  std::vector<std::string> missing;
  const auto ask = [&missing](bool is_there, auto text) {
    if (!is_there) {
      missing.push_back(text());
    }
  };
  for (const Label& label : need.labels) {
    ask(HasLabel(label, offer.labels), [&] { return fmt::format("label {}", ToText(label)); });
  }
  const Resources& asked = need.resources;
  const Resources& offered = offer.resources;
  ask(asked.cpu_millis <= offered.cpu_millis,
      [&] { return fmt::format("cpu: {}", static_cast<double>(asked.cpu_millis) / 1000); });
  ask(asked.memory <= offered.memory,
      [&] { return fmt::format("memory: {}", model::BytesText(asked.memory)); });
  ask(asked.disk <= offered.disk,
      [&] { return fmt::format("disk: {}", model::BytesText(asked.disk)); });
  ask(asked.gpus <= offered.gpus, [&] { return fmt::format("gpu: {}", asked.gpus); });
  ask(HasSandbox(need, offer), [&] { return SandboxText(need); });
  ask(!need.service_images || HasContainers(offer),
      [] { return std::string("containers for services"); });
  return missing;
}

void Shortage::Look(const WorkerOffer& offer) {
  ++workers_;
  for (std::string& what : MissingFrom(need_, offer)) {
    const auto known = std::ranges::find(missing_, what, &Missing::what);
    if (known != missing_.end()) {
      ++known->workers;
    } else {
      missing_.push_back({.what = std::move(what), .workers = 1});
    }
  }
}

// What none of them has is the answer; the rest would only distract.
std::string Shortage::Text() const {
  std::vector<std::string> lacked_by_all;
  std::vector<std::string> lacked_by_some;
  for (const Missing& each : missing_) {
    if (each.workers == workers_) {
      lacked_by_all.push_back(each.what);
    }
    lacked_by_some.push_back(fmt::format("{} (lacked by {})", each.what, each.workers));
  }
  return lacked_by_all.empty() ? fmt::format("{} together", fmt::join(lacked_by_some, " and "))
                               : fmt::format("{}", fmt::join(lacked_by_all, ", "));
}

}  // namespace engine::placement
