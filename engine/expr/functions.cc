// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/functions.h"

#include <cstring>

#include <fmt/format.h>

#include "engine/expr/format_text.h"
#include "engine/expr/text_case.h"

namespace engine::expr {
namespace {

constexpr FunctionSpec kFunctions[] = {
    {"contains", FunctionId::kContains, 2, 2},
    {"startsWith", FunctionId::kStartsWith, 2, 2},
    {"endsWith", FunctionId::kEndsWith, 2, 2},
    {"format", FunctionId::kFormat, 1, kArgumentsMax},
    {"join", FunctionId::kJoin, 1, 2},
    {"toJSON", FunctionId::kToJson, 1, 1},
    {"fromJSON", FunctionId::kFromJson, 1, 1},
    {"matches", FunctionId::kMatches, 2, 2},
    {"success", FunctionId::kHost, 0, 0},
    {"failure", FunctionId::kHost, 0, 0},
    {"always", FunctionId::kHost, 0, 0},
    {"cancelled", FunctionId::kHost, 0, 0},
    {"hashFiles", FunctionId::kHost, 1, kArgumentsMax},
};

// Values that `fromJSON` makes are larger than their text.
constexpr std::size_t kJsonValueFactor = 8;
// Compiling a pattern costs about as much as looking through this many bytes for each byte of it.
constexpr std::size_t kPatternByteCost = 1024;

CallError TooLong(std::string_view function) {
  return {fmt::format("the result of {}() would be longer than {} KiB", function,
                      kStringBytesMax >> 10U),
          "", std::nullopt};
}

CallResult MadeString(std::string_view function, std::string text, Work& work) {
  if (text.size() > kStringBytesMax) {
    return TooLong(function);
  }
  if (!work.Spend(text.size())) {
    return TooMuchWork();
  }
  return Value::String(std::move(text));
}

// Linear whatever the needle: glibc's memmem uses the two-way algorithm, `std::string::find` may be
// quadratic.
bool FoundIn(const std::string& text, const std::string& part) {
  return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

CallResult Contains(const Value& searched, const Value& item, Work& work) {
  if (searched.kind() == Kind::kArray) {
    for (const Value& held : searched.array()) {
      const bool strings = held.kind() == Kind::kString && item.kind() == Kind::kString;
      if (!work.Spend(sizeof(Value) + (strings ? item.string().size() : 0))) {
        return TooMuchWork();
      }
      if (LooselyEqual(held, item)) {
        return Value::Boolean(true);
      }
    }
    return Value::Boolean(false);
  }
  if (!searched.IsPrimitive() || !item.IsPrimitive()) {
    return Value::Boolean(false);
  }
  const std::string text = searched.ToDisplay();
  const std::string part = item.ToDisplay();
  if (!work.Spend(text.size() + part.size())) {
    return TooMuchWork();
  }
  return Value::Boolean(FoundIn(UpperCase(text), UpperCase(part)));
}

CallResult StartsOrEnds(const Value& searched, const Value& item, bool at_end, Work& work) {
  if (!searched.IsPrimitive() || !item.IsPrimitive()) {
    return Value::Boolean(false);
  }
  const std::string text = searched.ToDisplay();
  const std::string part = item.ToDisplay();
  if (!work.Spend(text.size() + part.size())) {
    return TooMuchWork();
  }
  if (part.size() > text.size()) {
    return Value::Boolean(false);
  }
  const std::size_t from = at_end ? text.size() - part.size() : 0;
  return Value::Boolean(EqualIgnoringCase(std::string_view(text).substr(from, part.size()), part));
}

CallResult Join(std::span<const Value> arguments, Work& work) {
  const Value& items = arguments[0];
  if (items.kind() != Kind::kArray) {
    return items.IsPrimitive() ? Value::String(items.ToDisplay()) : Value::String("");
  }
  std::string separator = ",";
  if (arguments.size() > 1 && arguments[1].IsPrimitive()) {
    separator = arguments[1].ToDisplay();
  }
  std::string text;
  for (std::size_t i = 0; i < items.array().size(); ++i) {
    text += i > 0 ? separator : "";
    text += items.array()[i].ToDisplay();
    if (text.size() > kStringBytesMax) {
      return TooLong("join");
    }
    if (!work.Spend(sizeof(Value))) {
      return TooMuchWork();
    }
  }
  return MadeString("join", std::move(text), work);
}

CallResult Format(std::span<const Value> arguments, Work& work) {
  FormattedText formatted = FormatText(arguments[0].ToDisplay(), arguments.subspan(1));
  if (formatted.too_long) {
    return TooLong("format");
  }
  if (!formatted.error.empty()) {
    return CallError{std::move(formatted.error), std::string(kFormatHint), 0};
  }
  return MadeString("format", std::move(formatted.text), work);
}

CallResult ToJson(const Value& value, Work& work) {
  std::optional<std::string> text = value.ToJson(/*pretty=*/true, kStringBytesMax);
  return text ? MadeString("toJSON", *std::move(text), work) : TooLong("toJSON");
}

CallResult FromJson(const Value& value, Work& work) {
  const std::string text = value.ToDisplay();
  if (!work.Spend(text.size() * kJsonValueFactor)) {
    return TooMuchWork();
  }
  auto parsed = Value::FromJson(text);
  if (!parsed.ok()) {
    return CallError{fmt::format("this is no valid JSON: {}", base::Message(parsed.status())),
                     text.empty() ? "the text is empty" : "", 0};
  }
  return *std::move(parsed);
}

CallResult Matches(std::span<const Value> arguments, const Pattern* pattern, Work& work) {
  if (!arguments[0].IsPrimitive() || !arguments[1].IsPrimitive()) {
    return Value::Boolean(false);
  }
  const std::string text = arguments[0].ToDisplay();
  if (!work.Spend(text.size())) {
    return TooMuchWork();
  }
  if (pattern != nullptr) {
    return Value::Boolean(pattern->FoundIn(text));
  }
  const std::string pattern_text = arguments[1].ToDisplay();
  if (!work.Spend(pattern_text.size() * kPatternByteCost)) {
    return TooMuchWork();
  }
  const Pattern compiled(pattern_text);
  if (!compiled.error().empty()) {
    return CallError{fmt::format("bad regular expression: {}", compiled.error()), "", 1};
  }
  return Value::Boolean(compiled.FoundIn(text));
}

}  // namespace

CallError TooMuchWork() {
  return {fmt::format("evaluating this takes too much work: over {} MiB made or looked through",
                      kWorkBytesMax >> 20U),
          "", std::nullopt};
}

std::span<const FunctionSpec> AllFunctions() {
  return kFunctions;
}

const FunctionSpec* FindFunction(std::string_view name) {
  for (const FunctionSpec& function : kFunctions) {
    if (EqualIgnoringCase(function.name, name)) {
      return &function;
    }
  }
  return nullptr;
}

CallResult CallBuiltIn(const FunctionSpec& function, std::span<const Value> arguments,
                       const Pattern* pattern, Work& work) {
  switch (function.id) {
    case FunctionId::kContains:
      return Contains(arguments[0], arguments[1], work);
    case FunctionId::kStartsWith:
      return StartsOrEnds(arguments[0], arguments[1], /*at_end=*/false, work);
    case FunctionId::kEndsWith:
      return StartsOrEnds(arguments[0], arguments[1], /*at_end=*/true, work);
    case FunctionId::kFormat:
      return Format(arguments, work);
    case FunctionId::kJoin:
      return Join(arguments, work);
    case FunctionId::kToJson:
      return ToJson(arguments[0], work);
    case FunctionId::kFromJson:
      return FromJson(arguments[0], work);
    case FunctionId::kMatches:
      return Matches(arguments, pattern, work);
    case FunctionId::kHost:
      break;
  }
  return CallError{fmt::format("{}() is not available here", function.name), "", std::nullopt};
}

std::optional<std::string> CheckFormat(std::string_view text, std::size_t count) {
  const std::vector<Value> nothing(count);
  FormattedText formatted = FormatText(text, nothing);
  return formatted.error.empty() ? std::nullopt : std::optional(std::move(formatted.error));
}

}  // namespace engine::expr
