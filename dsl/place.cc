// SPDX-License-Identifier: Apache-2.0
#include "dsl/place.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "dsl/keys.h"
#include "dsl/values.h"

namespace dsl {
namespace {

using engine::model::Label;
using engine::model::NetworkKind;
using engine::model::PlaceNeed;
using engine::model::Resources;
using engine::model::SandboxKind;

constexpr double kCpuMax = 1'000'000;
constexpr std::int64_t kGpusMax = 1'000;

// In the order of the words in the table of keys.
constexpr std::array kSandboxes = {SandboxKind::kHost, SandboxKind::kContainer, SandboxKind::kVm};
constexpr std::array kNetworks = {NetworkKind::kHost, NetworkKind::kNone};

/// What others call what a worker says of itself.
struct OtherName {
  std::string_view label;
  std::string_view written;
  std::string_view meant;
};
constexpr OtherName kOtherNames[] = {
    {"arch", "x86_64", "amd64"}, {"arch", "x86-64", "amd64"},  {"arch", "x64", "amd64"},
    {"arch", "AMD64", "amd64"},  {"arch", "aarch64", "arm64"}, {"arch", "ARM64", "arm64"},
    {"os", "Linux", "linux"},    {"os", "ubuntu", "linux"},    {"os", "debian", "linux"},
};

class LabelReader {
 public:
  LabelReader(std::vector<Label>& labels, Reporter& reporter)
      : labels_(labels), reporter_(reporter) {}

  void ReadMap(NodeRef map) {
    for (const Entry& entry : EntriesOf(map, reporter_)) {
      if (entry.value.is_null()) {
        reporter_
            .Error("empty-value", entry.key.place(),
                   fmt::format("the label `{}` has no value", entry.key.text()))
            .hint = fmt::format("a list asks for labels whatever their value: `requires: [{}]`",
                                entry.key.text());
      } else if (const auto value = ReadText(entry.value, "requires", reporter_)) {
        Add(entry.key, entry.key.text(), entry.value, *value);
      }
    }
  }

  /// `name`, or `name=value`.
  void ReadList(NodeRef list) {
    for (const NodeRef item : ReadScalars(list, "requires", reporter_)) {
      const std::optional<std::string> text = ReadText(item, "requires", reporter_);
      if (!text) {
        continue;
      }
      const std::size_t equals = text->find('=');
      if (equals == std::string::npos) {
        Add(item, *text, item, std::nullopt);
      } else {
        Add(item, text->substr(0, equals), item, text->substr(equals + 1));
      }
    }
  }

 private:
  /// Without a value: any will do.
  void Add(NodeRef name_at, std::string_view name, NodeRef value_at,
           const std::optional<std::string>& value) {
    if (!engine::model::IsLabelName(name)) {
      reporter_.Error("bad-name", name_at.place(), fmt::format("`{}` is no name of a label", name))
          .hint = "a name has letters, digits, `_`, `-` and `.`, at most 100";
      return;
    }
    if (value && !engine::model::IsLabelValue(*value)) {
      reporter_.Error("wrong-value", value_at.place(),
                      "a label's value has 1 to 100 printable characters and no spaces");
      return;
    }
    if (std::ranges::find(labels_, name, &Label::name) != labels_.end()) {
      reporter_.Error("duplicate-label", name_at.place(),
                      fmt::format("the label `{}` is asked for twice", name));
      return;
    }
    labels_.push_back({.name = std::string(name), .value = value.value_or("")});
    WarnOfOtherName(labels_.back(), value_at);
  }

  void WarnOfOtherName(const Label& label, NodeRef at) {
    for (const OtherName& other : kOtherNames) {
      if (other.label == label.name && other.written == label.value) {
        reporter_
            .Warning(
                "unlikely-label", at.place(),
                fmt::format("no worker calls its `{}` `{}` by itself", label.name, label.value))
            .hint = fmt::format("did you mean '{}'?", other.meant);
      }
    }
  }

  std::vector<Label>& labels_;
  Reporter& reporter_;
};

void ReadLabels(NodeRef node, std::vector<Label>& labels, Reporter& reporter) {
  LabelReader reader(labels, reporter);
  if (node.is_map()) {
    reader.ReadMap(node);
  } else {
    reader.ReadList(node);
  }
  std::ranges::sort(labels);
}

Resources ReadResources(NodeRef node, Compilation& compilation) {
  Resources resources;
  Reporter& reporter = compilation.reporter;
  const Fields fields = compilation.Check(node, Level::kResources);
  if (const auto cpu = ReadNumber(fields.Get("cpu"), "cpu", 0.001, kCpuMax, reporter)) {
    resources.cpu_millis = static_cast<std::uint64_t>(std::llround(*cpu * 1000));
  }
  resources.memory = ReadSize(fields.Get("memory"), "memory", reporter).value_or(0);
  resources.disk = ReadSize(fields.Get("disk"), "disk", reporter).value_or(0);
  const auto gpus = ReadInteger(fields.Get("gpu"), "gpu", 1, kGpusMax, reporter);
  resources.gpus = static_cast<std::uint64_t>(gpus.value_or(0));
  return resources;
}

/// The words of the job's key, in the order of the table.
template <typename Kind, std::size_t kCount>
Kind ReadKind(NodeRef node, std::string_view key, const std::array<Kind, kCount>& kinds,
              Reporter& reporter) {
  const std::vector<std::string_view> words = WordsOf(FindKey(Level::kJob, key)->type);
  const auto word = ReadWord(node, key, words, reporter);
  return word ? kinds.at(*word) : Kind::kAny;
}

// An image is a container's.
void ReadImageAndSandbox(const PlaceNodes& nodes, const JobNames& names,
                         engine::model::PlaceSpec& place, Compilation& compilation) {
  place.need.sandbox = ReadKind(nodes.sandbox, "sandbox", kSandboxes, compilation.reporter);
  if (!nodes.image) {
    return;
  }
  place.image = ReadImage(nodes.image, names, compilation);
  const SandboxKind said = std::exchange(place.need.sandbox, SandboxKind::kContainer);
  if (said != SandboxKind::kAny && said != SandboxKind::kContainer) {
    compilation.reporter
        .Error("conflicting-keys", nodes.sandbox.place(),
               fmt::format("`image` is for containers, and the sandbox is `{}`", ToText(said)))
        .hint = "take one of the two out";
  }
}

}  // namespace

engine::model::Template ReadImage(NodeRef node, const JobNames& names, Compilation& compilation) {
  engine::model::Template image = ReadTemplate(node, Site::kJob, &names, compilation);
  if (image.text.find_first_not_of(" \t\n") == std::string::npos) {
    compilation.reporter.Error("empty-value", node.place(), "`image` must not be empty");
  }
  return image;
}

std::optional<engine::model::PlaceSpec> ReadPlace(const PlaceNodes& nodes, const JobNames& names,
                                                  Compilation& compilation) {
  engine::model::PlaceSpec place;
  if (nodes.labels) {
    ReadLabels(nodes.labels, place.need.labels, compilation.reporter);
  }
  if (nodes.resources) {
    place.need.resources = ReadResources(nodes.resources, compilation);
  }
  ReadImageAndSandbox(nodes, names, place, compilation);
  place.need.network = ReadKind(nodes.network, "network", kNetworks, compilation.reporter);
  if (place == engine::model::PlaceSpec()) {
    return std::nullopt;
  }
  for (const NodeRef node :
       {nodes.network, nodes.sandbox, nodes.image, nodes.resources, nodes.labels}) {
    place.at = node ? PositionOf(node) : place.at;
  }
  return place;
}

}  // namespace dsl
