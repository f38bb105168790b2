// SPDX-License-Identifier: Apache-2.0
#include "dsl/origins.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dsl/compilation.h"
#include "dsl/steps.h"

namespace dsl {
namespace {

/// Of a long value, what a line shows.
constexpr std::size_t kValueShownMax = 48;

class OriginCollector {
 public:
  explicit OriginCollector(Compilation& compilation) : compilation_(compilation) {}

  void Add(const std::string& key, NodeRef node, OriginLayer layer);
  void AddMap(const std::string& key, NodeRef map, OriginLayer layer);
  void AddBuiltIn(const KeyRow& row) {
    compilation_.origins.push_back(
        {std::string(row.key), std::string(row.fallback), OriginLayer::kBuiltIn, "", 0, 0, {}});
  }

 private:
  Compilation& compilation_;
};

void OriginCollector::AddMap(const std::string& key, NodeRef map, OriginLayer layer) {
  for (const Entry& entry : EntriesOf(map, compilation_.reporter)) {
    Add(fmt::format("{}.{}", key, entry.key.text()), entry.value, layer);
  }
}

void OriginCollector::Add(const std::string& key, NodeRef node, OriginLayer layer) {
  if (node.is_map() && node.entries() > 0) {
    AddMap(key, node, layer);
    return;
  }
  if (node.size() > 0) {
    for (std::uint32_t i = 0; i < node.size(); ++i) {
      Add(fmt::format("{}[{}]", key, i), node[i], layer);
    }
    return;
  }
  const Place place = node.place();
  const LineColumn at = place.document->source.At(place.span.begin);
  ValueOrigin origin{
      key, std::string(node.text()), layer, place.document->source.path(), at.line, at.column, {}};
  origin.value = node.is_map() ? "{}" : node.is_sequence() ? "[]" : origin.value;
  AddWay(place, origin.way);
  compilation_.origins.push_back(std::move(origin));
}

}  // namespace

void ExplainJob(const JobFields& fields, const StepNodes& steps, Compilation& compilation) {
  OriginCollector collector(compilation);
  if (compilation.document_env) {
    collector.AddMap("env", compilation.document_env, OriginLayer::kDocument);
  }
  const auto add = [&](const std::string& key, const Fields& of, OriginLayer layer) {
    if (const NodeRef node = of.Get(key)) {
      collector.Add(key, node, layer);
    }
  };
  for (const KeyRow* row : KeysOf(Level::kJob)) {
    const std::string key(row->key);
    if (row->type.kind == ValueKind::kSteps || key == "extends") {
      continue;  // steps are told below, as templates made them; `extends` by what came of it
    }
    const bool merges = key == "env" || key == "outputs";
    const bool own = fields.own().Wrote(key);
    if (!own || (merges && fields.own().Get(key))) {
      add(key, fields.defaults(), OriginLayer::kDefaults);
    }
    add(key, fields.own(), OriginLayer::kJob);
    if (!fields.Get(key) && !row->fallback.empty() && row->since == Since::kNow) {
      collector.AddBuiltIn(*row);
    }
  }
  for (std::size_t i = 0; i < steps.steps.size(); ++i) {
    collector.Add(fmt::format("steps[{}]", i), steps.steps[i], OriginLayer::kJob);
  }
  for (std::size_t i = 0; i < steps.finally_steps.size(); ++i) {
    collector.Add(fmt::format("finally[{}]", i), steps.finally_steps[i], OriginLayer::kJob);
  }
}

std::string_view ToText(OriginLayer layer) {
  static constexpr std::array<std::string_view, 4> kTexts = {"job", "defaults", "document",
                                                             "built-in"};
  return kTexts[static_cast<std::size_t>(layer)];
}

namespace {

/// One line of a value that may have many.
std::string Shown(const std::string& value) {
  const std::size_t line_end = std::min(value.find('\n'), value.size());
  std::string line = value.substr(0, std::min(line_end, kValueShownMax));
  while (line.size() < line_end &&
         (static_cast<unsigned char>(value[line.size()]) & 0xC0U) == 0x80U) {
    line.pop_back();  // not in the middle of a character
  }
  const bool has_more_lines = value.size() > line_end + 1;
  return line.size() < line_end || has_more_lines ? line + " …" : line;
}

std::string Where(const ValueOrigin& origin) {
  if (origin.line == 0) {
    return "the language's default";
  }
  std::string where = fmt::format("{}:{}:{}", origin.file, origin.line, origin.column);
  if (origin.layer != OriginLayer::kJob) {
    where += fmt::format(" ({})", ToText(origin.layer));
  }
  for (const RelatedPlace& step : origin.way) {
    where += fmt::format(", {} {}:{}:{}", step.message, step.file, step.line, step.column);
  }
  return where;
}

}  // namespace

std::string RenderOrigins(std::string_view job, const std::vector<ValueOrigin>& origins) {
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  for (const ValueOrigin& origin : origins) {
    key_width = std::max(key_width, origin.key.size());
    value_width = std::max(value_width, Shown(origin.value).size());
  }
  std::string text = fmt::format("{}\n", job);
  for (const ValueOrigin& origin : origins) {
    text += fmt::format("  {:<{}}  {:<{}}  {}\n", origin.key, key_width, Shown(origin.value),
                        value_width, Where(origin));
  }
  return text;
}

std::string RenderOriginsJson(std::string_view job, const std::vector<ValueOrigin>& origins) {
  nlohmann::ordered_json values = nlohmann::ordered_json::array();
  for (const ValueOrigin& origin : origins) {
    nlohmann::ordered_json way = nlohmann::ordered_json::array();
    for (const RelatedPlace& step : origin.way) {
      way.push_back({{"message", step.message},
                     {"file", step.file},
                     {"line", step.line},
                     {"column", step.column}});
    }
    values.push_back({{"key", origin.key},
                      {"value", origin.value},
                      {"layer", ToText(origin.layer)},
                      {"file", origin.file},
                      {"line", origin.line},
                      {"column", origin.column},
                      {"way", way}});
  }
  const nlohmann::ordered_json whole = {{"job", job}, {"values", values}};
  return whole.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace dsl
