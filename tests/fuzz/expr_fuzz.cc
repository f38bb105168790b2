// SPDX-License-Identifier: Apache-2.0
// Expressions and templates over any text, evaluated over any context. The input is the text, then
// optionally a zero byte and the contexts as a JSON object. Beside memory errors it finds broken
// promises of the headers.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"
#include "engine/expr/status_functions.h"

namespace {

using engine::expr::Error;
using engine::expr::Expression;
using engine::expr::MapScope;
using engine::expr::Result;
using engine::expr::TemplateText;
using engine::expr::Value;

void CheckUtf8(const std::string& text) {
  const auto read = Value::FromJson(Value::String(text).ToJson());
  CHECK(read.ok() && read->string() == text);
}

void CheckError(const Error& error, std::string_view text) {
  CHECK(!error.message.empty());
  CHECK(error.offset <= text.size());
  CHECK(error.length <= text.size() - error.offset);
  CheckUtf8(error.message);
  CheckUtf8(error.hint);
}

MapScope ScopeOf(std::string_view json) {
  engine::expr::Object contexts;
  const auto parsed = Value::FromJson(json);
  if (parsed.ok() && parsed->kind() == engine::expr::Kind::kObject) {
    contexts = parsed->object();
  }
  MapScope scope(std::move(contexts));
  scope.Set("raw", Value::String(std::string(json)));
  scope.SetFunction("hashFiles", [](std::span<const Value> arguments) -> Result<Value> {
    return arguments.size() > 2 ? Result<Value>(Error{"too many", "", 1000, 1000})
                                : Result<Value>(arguments[0]);
  });
  engine::expr::AddStatusFunctions(scope, {.all_well = false, .any_failed = true});
  return scope;
}

// What text a value has, twice alike and readable again.
void CheckValue(const Value& value) {
  const std::string json = value.ToJson();
  CHECK(value.ToJson(false, json.size()) == json);
  const auto read = Value::FromJson(json);
  // A value from a context may be as deep as JSON goes, and a filter adds a level.
  CHECK(read.ok() || engine::base::Message(read.status()).find("deeper") != std::string_view::npos);
  CHECK(!read.ok() || read->ToJson() == json);
  CHECK(LooselyEqual(value, value) || value.ToDisplay() == "NaN");
  CHECK(!LooselyLess(value, value));
}

template <typename Parsed>
void CheckUses(const Parsed& parsed, std::string_view text) {
  for (const auto& reference : parsed.References()) {
    CHECK(!reference.path.empty());
    CHECK(reference.offset + reference.length <= text.size());
    CHECK(text.substr(reference.offset).starts_with(reference.path.front()));
  }
  for (const auto& use : parsed.Functions()) {
    CHECK(use.offset + use.length <= text.size());
  }
}

template <typename Parsed>
void Try(std::string_view text, const MapScope& scope) {
  const auto parsed = Parsed::Parse(text);
  if (!parsed.ok()) {
    CheckError(parsed.error(), text);
    return;
  }
  CheckUses(parsed.value(), text);
  const auto value = parsed.value().Evaluate(scope);
  const auto again = parsed.value().Evaluate(scope);
  CHECK(value.ok() == again.ok());
  if (!value.ok()) {
    CheckError(value.error(), text);
    CHECK(value.error().message == again.error().message);
    return;
  }
  CheckValue(value.value());
  CHECK(value.value().ToJson() == again.value().ToJson());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(data, data + size);
  const std::string_view all(input);
  const std::size_t zero = std::min(all.find('\0'), all.size());
  const std::string_view text = all.substr(0, zero);
  const MapScope scope = ScopeOf(all.substr(std::min(zero + 1, all.size())));
  Try<Expression>(text, scope);
  Try<TemplateText>(text, scope);
  const auto rendered = TemplateText::Parse(text);
  if (rendered.ok() && !rendered.value().has_expression()) {
    CHECK(rendered.value().Render(scope).value().size() <= text.size());
  }
  return 0;
}
