// SPDX-License-Identifier: Apache-2.0
#include "engine/model/place.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace engine::model {
namespace {

constexpr std::size_t kLabelBytesMax = 100;

struct Unit {
  std::uint64_t bytes;
  std::string_view name;
};
constexpr std::array<Unit, 4> kUnits = {
    {{1ULL << 40, "TiB"}, {1ULL << 30, "GiB"}, {1ULL << 20, "MiB"}, {1ULL << 10, "KiB"}}};

}  // namespace

bool IsLabelName(std::string_view name) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kLabelBytesMax && name.front() != '.' &&
         std::ranges::all_of(name, is_part);
}

bool IsLabelValue(std::string_view value) {
  return !value.empty() && value.size() <= kLabelBytesMax &&
         std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f; });
}

std::vector<Label> MergeLabels(std::vector<Label> labels, const std::vector<Label>& stronger) {
  for (const Label& label : stronger) {
    const auto known = std::ranges::find(labels, label.name, &Label::name);
    if (known == labels.end()) {
      labels.push_back(label);
    } else {
      known->value = label.value;
    }
  }
  std::ranges::sort(labels);
  return labels;
}

std::string ToText(const Label& label) {
  return label.value.empty() ? label.name : fmt::format("{}={}", label.name, label.value);
}

std::string_view ToText(SandboxKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"any", "host", "container", "vm"};
  return static_cast<std::size_t>(kind) < kNames.size() ? kNames[static_cast<std::size_t>(kind)]
                                                        : "unknown";
}

std::string BytesText(std::uint64_t bytes) {
  for (const Unit& unit : kUnits) {
    if (bytes != 0 && bytes % unit.bytes == 0) {
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
  }
  return fmt::format("{}", bytes);
}

std::string ToText(const WorkerOffer& offer) {
  std::string text;
  const auto add = [&text](std::string_view part) {
    text += text.empty() ? "" : ",";
    text += part;
  };
  for (const Label& label : offer.labels) {
    add(ToText(label));
  }
  for (const SandboxOffer& sandbox : offer.sandboxes) {
    add(fmt::format("{}{}", ToText(sandbox.kind), sandbox.cuts_network ? "(no network)" : ""));
  }
  const Resources& resources = offer.resources;
  if (resources.cpu_millis != 0) {
    add(fmt::format("cpu {}", static_cast<double>(resources.cpu_millis) / 1000));
  }
  if (resources.memory != 0) {
    add(fmt::format("memory {}", BytesText(resources.memory)));
  }
  if (resources.disk != 0) {
    add(fmt::format("disk {}", BytesText(resources.disk)));
  }
  if (resources.gpus != 0) {
    add(fmt::format("gpu {}", resources.gpus));
  }
  return text;
}

}  // namespace engine::model
