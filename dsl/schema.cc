// SPDX-License-Identifier: Apache-2.0
#include "dsl/schema.h"

#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dsl/keys.h"

namespace dsl {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kLevelCount> kNames = {
    "pipeline",    "include",   "template", "on",           "event",       "schedule",
    "input",       "defaults",  "job",      "extends",      "need",        "matrix",
    "forEach",     "retry",     "backoff",  "allowFailure", "concurrency", "approval",
    "environment", "resources", "service",  "ready",        "artifacts",   "upload",
    "reports",     "cache",     "reuse",    "checkout",     "step"};

Json Ref(std::string_view name) {
  return {{"$ref", fmt::format("#/definitions/{}", name)}};
}

Json RefTo(Level level) {
  return level == Level::kNone ? Json{{"type", "object"}}
                               : Ref(kNames[static_cast<std::size_t>(level)]);
}

Json AnyOf(std::initializer_list<Json> alternatives) {
  Json list = Json::array();
  for (const Json& alternative : alternatives) {
    list.push_back(alternative);
  }
  return {{"anyOf", std::move(list)}};
}

Json ListOf(const Json& items) {
  return {{"type", "array"}, {"items", items}};
}

Json MapOf(const Json& values) {
  return {{"type", "object"}, {"additionalProperties", values}};
}

/// A single value. A template's input may stand where a type is wanted, and an empty value takes
/// away what a template said: both are left to the compiler.
Json Typed(const Json& type) {
  return AnyOf({type, Ref("expression"), Json{{"type", "null"}}});
}

Json WordsSchema(const ValueType& type) {
  Json words = Json::array();
  for (const std::string_view word : WordsOf(type)) {
    words.push_back(word);
  }
  return {{"enum", words}};
}

Json SingleSchema(const ValueType& type) {
  const ValueKind kind = type.kind;
  if (kind == ValueKind::kBoolean || kind == ValueKind::kBooleanOrMap) {
    return Typed({{"type", "boolean"}});
  }
  if (kind == ValueKind::kInteger || kind == ValueKind::kIntegerOrMap) {
    return Typed({{"type", "integer"}});
  }
  if (kind == ValueKind::kNumber) {
    return Typed({{"type", "number"}});
  }
  if (kind == ValueKind::kDuration || kind == ValueKind::kSize) {
    return Typed(Ref(kind == ValueKind::kSize ? "size" : "duration"));
  }
  return kind == ValueKind::kWord ? Typed(WordsSchema(type)) : Ref("text");
}

/// The shapes that hold several values; nothing for a single one.
Json CollectionSchema(const ValueType& type) {
  const Json inner = RefTo(type.inner);
  switch (type.kind) {
    case ValueKind::kTextOrList:
    case ValueKind::kList:
      return ListOf(Ref("text"));
    case ValueKind::kMapList:
      return ListOf(inner);
    case ValueKind::kTextMap:
      return MapOf(Ref("text"));
    case ValueKind::kTextMapList:
      return AnyOf({MapOf(Ref("text")), ListOf(Ref("text"))});
    case ValueKind::kMap:
    case ValueKind::kMapOrEmpty:
    case ValueKind::kBooleanOrMap:
    case ValueKind::kIntegerOrMap:
    case ValueKind::kTextOrMap:
      return inner;
    case ValueKind::kNamedMaps:
      return MapOf(AnyOf({inner, Json{{"type", "null"}}}));
    case ValueKind::kMapOrMapList:
      return AnyOf({inner, ListOf(inner)});
    case ValueKind::kTextListOrMap:
      return AnyOf({inner, ListOf(AnyOf({Ref("text"), inner}))});
    case ValueKind::kSteps:
      return ListOf(AnyOf({Ref("text"), inner}));
    case ValueKind::kText:
    case ValueKind::kTemplate:
    case ValueKind::kCondition:
    case ValueKind::kBoolean:
    case ValueKind::kInteger:
    case ValueKind::kNumber:
    case ValueKind::kDuration:
    case ValueKind::kSize:
    case ValueKind::kWord:
    case ValueKind::kScalar:
      return {};
  }
  return {};
}

Json ValueSchema(const ValueType& type) {
  Json collection = CollectionSchema(type);
  if (collection.is_null()) {
    return SingleSchema(type);
  }
  return Accepts(type.kind, NodeKind::kScalar) ? AnyOf({SingleSchema(type), collection})
                                               : collection;
}

std::string DescriptionOf(const KeyRow& row) {
  std::string text(row.meaning);
  text += row.fallback.empty() ? "" : fmt::format(". Default: {}", row.fallback);
  text += row.since == Since::kLater ? " (comes in a later build)" : "";
  return text;
}

Json LevelSchema(Level level) {
  Json properties = Json::object();
  for (const KeyRow* row : KeysOf(level)) {
    Json value = AnyOf({ValueSchema(row->type), Json{{"type", "null"}}});
    value["description"] = DescriptionOf(*row);
    properties[std::string(row->key)] = std::move(value);
  }
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (level == Level::kMatrix) {
    schema["additionalProperties"] = AnyOf({Json{{"type", "array"}}, Ref("expression")});
  } else {
    schema["additionalProperties"] = false;
  }
  return schema;
}

}  // namespace

std::string JsonSchema() {
  Json definitions = {
      {"text", {{"type", Json::array({"string", "number", "boolean", "null"})}}},
      {"expression", {{"type", "string"}, {"pattern", "\\$\\{\\{"}}},
      {"duration",
       {{"type", Json::array({"string", "number"})},
        {"pattern", "^([0-9]+(\\.[0-9]+)?(ms|us|s|m|h|d))+$|^[0-9]+(\\.[0-9]+)?$"}}},
      {"size",
       {{"type", Json::array({"string", "integer"})},
        {"pattern", "^[0-9]+ *(B|KB|MB|GB|KiB|MiB|GiB)?$"}}},
  };
  for (std::size_t level = 1; level < kLevelCount; ++level) {
    definitions[std::string(kNames[level])] = LevelSchema(static_cast<Level>(level));
  }
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "A Dayfly pipeline"}};
  schema.update(LevelSchema(Level::kDocument));
  schema["definitions"] = std::move(definitions);
  return schema.dump(2) + "\n";
}

}  // namespace dsl
