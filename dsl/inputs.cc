// SPDX-License-Identifier: Apache-2.0
// `inputs`: what is asked for before a run exists, and how given values are held against it.
#include "dsl/inputs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

using engine::model::InputSpec;
using engine::model::InputType;
using engine::model::JsonText;
using engine::model::NamedValue;

constexpr std::array<std::string_view, 4> kTypes = {"string", "number", "boolean", "choice"};

std::string_view ToText(InputType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

/// Quiet: a bad pattern is reported, not logged.
re2::RE2::Options PatternOptions() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

std::string PatternFault(const std::string& pattern) {
  const re2::RE2 compiled(pattern, PatternOptions());
  return compiled.ok() ? "" : compiled.error();
}

bool PatternTakes(const std::string& pattern, const std::string& text) {
  return pattern.empty() || re2::RE2::FullMatch(text, re2::RE2(pattern, PatternOptions()));
}

/// Options may look like numbers (`[1, 2]`); they are texts all the same.
void ReadOptions(const Fields& fields, InputSpec& input, Compilation& compilation) {
  const NodeRef node = fields.Get("options");
  if (input.type != InputType::kChoice) {
    if (node) {
      compilation.reporter.Error("conflicting-keys", node.place(), "only a choice has `options`")
          .hint = "add `type: choice`";
    }
    return;
  }
  input.options = ReadTexts(node, "options", compilation.reporter);
  if (input.options.empty() && (node || fields.Lacks("options"))) {
    compilation.reporter.Error("missing-key", (node ? node : fields.map()).place(),
                               fmt::format("the choice `{}` needs `options`", input.name));
  }
}

void ReadPattern(const Fields& fields, InputSpec& input, Compilation& compilation) {
  const NodeRef node = fields.Get("pattern");
  const std::optional<std::string> pattern = ReadText(node, "pattern", compilation.reporter);
  if (!pattern) {
    return;
  }
  if (input.type != InputType::kString) {
    compilation.reporter.Error("conflicting-keys", node.place(),
                               fmt::format("a {} has no `pattern`", ToText(input.type)));
    return;
  }
  if (const std::string fault = PatternFault(*pattern); !fault.empty()) {
    compilation.reporter.Error("bad-pattern", node.place(),
                               fmt::format("not a regular expression: {}", fault));
    return;
  }
  input.pattern = *pattern;
}

void ReadDefault(const Fields& fields, InputSpec& input, Compilation& compilation) {
  const NodeRef node = fields.Get("default");
  if (!node || (input.type == InputType::kChoice && input.options.empty())) {
    return;
  }
  if (node.text().find("${{") != std::string_view::npos) {
    ReadText(node, "default", compilation.reporter);
    return;
  }
  JsonText json;
  std::optional<double> number = NumberOf(node);
  if (const auto fault = CheckInputValue(input, std::string(node.text()), number, json)) {
    compilation.reporter.Error("bad-default", node.place(), fault->message).hint = fault->hint;
    return;
  }
  input.default_value = input.type == InputType::kNumber ? JsonOf(node) : json;
  if (input.required) {
    compilation.reporter.Warning(
        "unused-default", node.place(),
        fmt::format("`{}` is required, so its default is never used", input.name));
  }
}

std::optional<double> ParseNumber(const std::string& text) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good =
      error == std::errc() && stop == text.data() + text.size() && std::isfinite(value);
  return good ? std::optional(value) : std::nullopt;
}

Diagnostic Problem(const engine::model::Plan& plan, const InputSpec* input, std::string_view code,
                   std::string message, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  diagnostic.file = plan.files.empty() ? "" : plan.files.front();
  if (input != nullptr && input->at.file < plan.files.size()) {
    diagnostic.file = plan.files[input->at.file];
    diagnostic.line = diagnostic.end_line = input->at.line;
    diagnostic.column = diagnostic.end_column = input->at.column;
  }
  return diagnostic;
}

}  // namespace

std::optional<ValueFault> CheckInputValue(const InputSpec& input, const std::string& text,
                                          std::optional<double> number, JsonText& json) {
  switch (input.type) {
    case InputType::kNumber:
      if (!number) {
        return ValueFault{fmt::format("`{}` takes a number, not `{}`", input.name, text), ""};
      }
      json = fmt::format("{}", *number);
      return std::nullopt;
    case InputType::kBoolean:
      if (text != "true" && text != "false") {
        return ValueFault{fmt::format("`{}` takes true or false, not `{}`", input.name, text), ""};
      }
      json = text;
      return std::nullopt;
    case InputType::kChoice:
      if (std::find(input.options.begin(), input.options.end(), text) == input.options.end()) {
        return ValueFault{fmt::format("`{}` takes one of {}, not `{}`", input.name,
                                      fmt::join(input.options, ", "), text),
                          engine::base::DidYouMean(text, input.options)};
      }
      break;
    case InputType::kString:
      if (!PatternTakes(input.pattern, text)) {
        return ValueFault{fmt::format("`{}` must match the pattern `{}`; `{}` does not", input.name,
                                      input.pattern, text),
                          ""};
      }
      break;
  }
  json = JsonString(text);
  return std::nullopt;
}

JsonText EmptyInputValue(InputType type) {
  return type == InputType::kBoolean ? "false" : type == InputType::kNumber ? "null" : "\"\"";
}

InputSpec ReadInput(const Entry& entry, Compilation& compilation) {
  InputSpec input;
  input.name = entry.key.text();
  input.at = PositionOf(entry.key);
  if (!IsWord(input.name)) {
    compilation.reporter
        .Error("bad-name", entry.key.place(),
               fmt::format("`{}` is no name for an input", input.name))
        .hint = "a name has letters, digits, `_` and `-`, and begins with a letter or `_`";
  }
  if (!entry.value.is_map() && !entry.value.is_null()) {
    compilation.reporter
        .Error("wrong-type", entry.value.place(),
               fmt::format("the input `{}` is a map, not {}", input.name,
                           Describe(entry.value.kind())))
        .hint = fmt::format("write `{}: {{ default: … }}`", input.name);
  }
  if (entry.value.is_map()) {
    const Fields fields = compilation.Check(entry.value, Level::kInput);
    const auto type = ReadWord(fields.Get("type"), "type", kTypes, compilation.reporter);
    input.type = static_cast<InputType>(type.value_or(0));
    input.required =
        ReadBoolean(fields.Get("required"), "required", compilation.reporter).value_or(false);
    input.description =
        ReadText(fields.Get("description"), "description", compilation.reporter).value_or("");
    if (type || !fields.Wrote("type")) {
      ReadOptions(fields, input, compilation);
      ReadPattern(fields, input, compilation);
      ReadDefault(fields, input, compilation);
    }
  }
  return input;
}

void CompileInputs(NodeRef node, Compilation& compilation) {
  if (!node) {
    return;
  }
  for (const Entry& entry : EntriesOf(node, compilation.reporter)) {
    compilation.plan.inputs.push_back(ReadInput(entry, compilation));
  }
}

ResolvedInputs ResolveInputs(const engine::model::Plan& plan,
                             std::span<const std::pair<std::string, std::string>> given) {
  return ResolveInputs(plan, plan.inputs, "the pipeline", given);
}

ResolvedInputs ResolveInputs(const engine::model::Plan& plan, std::span<const InputSpec> inputs,
                             std::string_view whose,
                             std::span<const std::pair<std::string, std::string>> given) {
  std::vector<Diagnostic> problems;
  std::vector<std::optional<JsonText>> values(inputs.size());
  std::vector<bool> seen(inputs.size(), false);
  std::vector<std::string_view> known;
  for (const InputSpec& input : inputs) {
    known.push_back(input.name);
  }
  for (const auto& [name, text] : given) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      problems.push_back(Problem(plan, nullptr, "unknown-input",
                                 fmt::format("{} has no input `{}`", whose, name),
                                 engine::base::DidYouMean(name, known)));
      continue;
    }
    const auto index = static_cast<std::size_t>(found - known.begin());
    const InputSpec& input = inputs[index];
    JsonText json;
    seen[index] = true;
    if (const auto fault = CheckInputValue(input, text, ParseNumber(text), json)) {
      problems.push_back(Problem(plan, &input, "bad-input", fault->message, fault->hint));
    }
    values[index] = std::move(json);
  }
  std::vector<NamedValue> resolved;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const InputSpec& input = inputs[i];
    if (input.required && !seen[i]) {
      problems.push_back(Problem(plan, &input, "missing-input",
                                 fmt::format("the input `{}` is required", input.name),
                                 fmt::format("give it with `--input {}=…`", input.name)));
    }
    JsonText fallback = input.default_value.value_or(EmptyInputValue(input.type));
    resolved.push_back({input.name, values[i] ? std::move(*values[i]) : std::move(fallback)});
  }
  if (!problems.empty()) {
    return problems;
  }
  return resolved;
}

}  // namespace dsl
