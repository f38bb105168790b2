// SPDX-License-Identifier: Apache-2.0
#include "dsl/template_inputs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dsl/inputs.h"
#include "dsl/tree_builder.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"
#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"

namespace dsl {
namespace {

using engine::expr::Expression;
using engine::expr::Reference;
using engine::expr::TemplateText;
using engine::model::InputSpec;
using engine::model::InputType;
using engine::model::JsonText;

constexpr std::string_view kStart = "${{";
constexpr std::string_view kEnd = "}}";
constexpr std::string_view kBlanks = " \t\n";

bool SameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

/// What an input stands for in one use of the template.
struct Argument {
  std::string_view name;
  std::string operand;  ///< as a part of an expression: `'core'`, `3`, `(branch == 'main')`
  /// Its text and whether that is plain (a number, a boolean); nothing when only a run knows it.
  std::optional<std::pair<std::string, bool>> literal;
};

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "''" : std::string(1, c);
  }
  return quoted + "'";
}

Argument FromJson(const InputSpec& input, const JsonText& json) {
  const auto value = engine::expr::Value::FromJson(json);
  Argument argument{input.name, json, std::pair(json, true)};
  if (value.ok() && value->kind() == engine::expr::Kind::kString) {
    argument.operand = Quoted(value->string());
    argument.literal = std::pair(value->string(), false);
  } else if (value.ok() && value->IsNull()) {
    argument.literal = std::pair(std::string(), false);
  }
  return argument;
}

/// The expression of a text that is one `${{ … }}` and nothing else.
std::optional<std::string_view> OnlyExpression(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  const std::size_t end = text.find_last_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  text = text.substr(begin, end - begin + 1);
  if (!text.starts_with(kStart) || !text.ends_with(kEnd) || text.size() < 5) {
    return std::nullopt;
  }
  text = text.substr(kStart.size(), text.size() - kStart.size() - kEnd.size());
  if (!Expression::Parse(text).ok()) {
    return std::nullopt;
  }
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// Reads `with`.
class ArgumentReader {
 public:
  ArgumentReader(const std::vector<InputSpec>& inputs, const TemplateUse& use,
                 Compilation& compilation)
      : inputs_(inputs), use_(use), compilation_(compilation) {}

  std::vector<Argument> Read() {
    std::vector<Entry> given;
    if (use_.with) {
      given = EntriesOf(use_.with, compilation_.reporter);
    }
    CheckNames(given);
    std::vector<Argument> arguments;
    for (const InputSpec& input : inputs_) {
      const auto found = std::find_if(given.begin(), given.end(), [&](const Entry& entry) {
        return entry.key.text() == input.name;
      });
      arguments.push_back(found == given.end() ? Absent(input) : Given(input, found->value));
    }
    return arguments;
  }

 private:
  void CheckNames(const std::vector<Entry>& given);
  Argument Absent(const InputSpec& input);
  Argument Given(const InputSpec& input, NodeRef value);
  Argument FromExpression(const InputSpec& input, NodeRef value);

  const std::vector<InputSpec>& inputs_;
  const TemplateUse& use_;
  Compilation& compilation_;
};

void ArgumentReader::CheckNames(const std::vector<Entry>& given) {
  std::vector<std::string_view> known;
  for (const InputSpec& input : inputs_) {
    known.push_back(input.name);
  }
  for (const Entry& entry : given) {
    if (std::find(known.begin(), known.end(), entry.key.text()) != known.end()) {
      continue;
    }
    Diagnostic& diagnostic = compilation_.reporter.Error(
        "unknown-input", entry.key.place(),
        fmt::format("the template `{}` has no input `{}`", use_.name.text(), entry.key.text()));
    diagnostic.hint = engine::base::DidYouMean(entry.key.text(), known);
  }
}

Argument ArgumentReader::Absent(const InputSpec& input) {
  if (input.required) {
    compilation_.reporter
        .Error(
            "missing-input", use_.name.place(),
            fmt::format("the template `{}` needs a value for `{}`", use_.name.text(), input.name))
        .hint = fmt::format("give it: `with: {{ {}: … }}`", input.name);
  }
  return FromJson(input, input.default_value.value_or(EmptyInputValue(input.type)));
}

Argument ArgumentReader::Given(const InputSpec& input, NodeRef value) {
  const Argument empty = FromJson(input, EmptyInputValue(input.type));
  if (!value.is_scalar()) {
    compilation_.reporter.Error(
        "wrong-type", value.place(),
        fmt::format("`{}` takes a single value, not {}", input.name, Describe(value.kind())));
    return empty;
  }
  const std::string text(value.text());
  if (text.find(kStart) != std::string::npos) {
    return FromExpression(input, value);
  }
  JsonText json;
  if (const auto fault = CheckInputValue(input, text, NumberOf(value), json)) {
    compilation_.reporter.Error("bad-input", value.place(), fault->message).hint = fault->hint;
    return empty;
  }
  return FromJson(input, input.type == InputType::kNumber ? JsonOf(value) : json);
}

Argument ArgumentReader::FromExpression(const InputSpec& input, NodeRef value) {
  const auto parsed = TemplateText::Parse(value.text());
  if (!parsed.ok()) {
    const engine::expr::Error& error = parsed.error();
    compilation_.reporter
        .Error("bad-expression",
               value.PlaceInside(error.offset, std::max<std::size_t>(error.length, 1)),
               error.message)
        .hint = error.hint;
    return FromJson(input, EmptyInputValue(input.type));
  }
  if (const auto expression = OnlyExpression(value.text())) {
    return {input.name, fmt::format("({})", *expression), std::nullopt};
  }
  compilation_.reporter
      .Error("mixed-input", value.place(),
             fmt::format("`{}` takes a text or one expression, not a mixture", input.name))
      .hint = "put it together inside of one `${{ }}`: `${{ format('app-{0}', tag) }}`";
  return FromJson(input, EmptyInputValue(input.type));
}

/// A piece of a text that reads an input.
struct Reading {
  std::size_t begin;
  std::size_t end;
  const Argument* argument;
};

class Putter {
 public:
  Putter(const std::vector<Argument>& arguments, Compilation& compilation)
      : arguments_(arguments), compilation_(compilation) {}

  /// `node`, or what it becomes.
  NodeRef Put(NodeRef node, bool is_condition = false) {
    if (!compilation_.TakeTemplateNode()) {
      return node;
    }
    if (node.is_scalar()) {
      return PutScalar(node, is_condition);
    }
    return node.is_map() || node.is_sequence() ? PutCollection(node) : node;
  }

 private:
  NodeRef PutCollection(NodeRef node);
  NodeRef PutScalar(NodeRef node, bool is_condition);
  std::vector<Reading> Readings(const std::vector<Reference>& references) const;
  std::optional<std::pair<std::string, bool>> Whole(std::string_view text) const;
  static void Spell(const Reading& reading, std::string_view text, std::string& out,
                    std::size_t& at);

  const std::vector<Argument>& arguments_;
  Compilation& compilation_;
};

NodeRef Putter::PutCollection(NodeRef node) {
  std::vector<NodeRef> children;
  bool changed = false;
  for (std::uint32_t i = 0; i < node.node().size; ++i) {
    const NodeRef child(node.document(), node.node().items[i], node.alias(), node.graft());
    const bool is_key = node.is_map() && i % 2 == 0;
    const bool is_condition = node.is_map() && i % 2 == 1 && children.back().text() == "if";
    children.push_back(is_key ? child : Put(child, is_condition));
    changed = changed || &children.back().node() != &child.node();
  }
  if (!changed) {
    return node;
  }
  std::vector<Node> items;
  for (const NodeRef child : children) {
    items.push_back(ItemOf(node.document(), child, compilation_.arena));
  }
  Node made = node.node();
  made.items = compilation_.arena.KeepAll(items);
  const Node* kept = compilation_.arena.Keep(made);
  return NodeRef(
      *compilation_.arena.Keep(Graft{&node.document(), kept, node.alias(), node.trail(), nullptr}));
}

std::vector<Reading> Putter::Readings(const std::vector<Reference>& references) const {
  std::vector<Reading> readings;
  for (const Reference& reference : references) {
    if (reference.path.size() != 2 || !SameWord(reference.path[0], "inputs")) {
      continue;
    }
    for (const Argument& argument : arguments_) {
      if (SameWord(argument.name, reference.path[1])) {
        readings.push_back({reference.offset, reference.offset + reference.length, &argument});
        break;
      }
    }
  }
  std::sort(readings.begin(), readings.end(),
            [](const Reading& a, const Reading& b) { return a.begin < b.begin; });
  return readings;
}

/// Copies `text` from `at` to the end of what `reading` stands for. `${{ inputs.x }}` inside of a
/// text becomes the value itself, so that what reads `make ${{ inputs.x }}` is a plain command.
void Putter::Spell(const Reading& reading, std::string_view text, std::string& out,
                   std::size_t& at) {
  const std::size_t before = text.find_last_not_of(kBlanks, reading.begin - 1);
  const std::size_t after = text.find_first_not_of(kBlanks, reading.end);
  const auto& literal = reading.argument->literal;
  // A `$` would join with what follows it.
  const bool alone = literal && literal->first.find('$') == std::string::npos &&
                     before != std::string_view::npos && before >= 2 &&
                     text.substr(before - 2, 3) == kStart && after != std::string_view::npos &&
                     text.substr(after, 2) == kEnd;
  if (!alone) {
    out += text.substr(at, reading.begin - at);
    out += reading.argument->operand;
    at = reading.end;
    return;
  }
  out += text.substr(at, before - 2 - at);
  out += literal->first;
  at = after + kEnd.size();
}

/// The value of a text that is one expression over what is known now.
std::optional<std::pair<std::string, bool>> Putter::Whole(std::string_view text) const {
  const auto expression = OnlyExpression(text);
  if (!expression) {
    return std::nullopt;
  }
  for (const Argument& argument : arguments_) {
    if (argument.literal && *expression == argument.operand) {
      return argument.literal;
    }
  }
  const auto parsed = Expression::Parse(*expression);
  if (!parsed.ok() || !parsed.value().References().empty()) {
    return std::nullopt;
  }
  const auto value = parsed.value().Evaluate(engine::expr::MapScope());
  if (!value.ok() || !value.value().IsPrimitive()) {
    return std::nullopt;
  }
  const bool plain = value.value().kind() != engine::expr::Kind::kString;
  return std::pair(value.value().ToDisplay(), plain);
}

NodeRef Putter::PutScalar(NodeRef node, bool is_condition) {
  const std::string_view text = node.text();
  const bool wrapped = text.find(kStart) != std::string_view::npos;
  std::vector<Reading> readings;
  if (wrapped) {
    const auto parsed = TemplateText::Parse(text);
    readings = parsed.ok() ? Readings(parsed.value().References()) : readings;
  } else if (is_condition) {
    const auto parsed = Expression::Parse(text);
    readings = parsed.ok() ? Readings(parsed.value().References()) : readings;
  }
  if (readings.empty()) {
    return node;
  }
  const bool only = wrapped && OnlyExpression(text).has_value();
  std::string made;
  std::size_t at = 0;
  for (const Reading& reading : readings) {
    if (reading.begin < at) {
      continue;
    }
    if (only || is_condition) {
      made += text.substr(at, reading.begin - at);
      made += reading.argument->operand;
      at = reading.end;
    } else {
      Spell(reading, text, made, at);
    }
  }
  made += text.substr(at);
  const auto whole = only && !is_condition ? Whole(made) : std::nullopt;
  const std::string_view kept = compilation_.arena.KeepText(whole ? whole->first : made);
  Node scalar = node.node();
  scalar.text = kept.data();
  scalar.size = static_cast<std::uint32_t>(kept.size());
  scalar.plain = whole && whole->second;
  return NodeRef(*compilation_.arena.Keep(Graft{&node.document(), compilation_.arena.Keep(scalar),
                                                node.alias(), node.trail(), &node.written()}));
}

}  // namespace

NodeRef PutInputsIn(NodeRef body, const std::vector<InputSpec>& inputs, const TemplateUse& use,
                    Compilation& compilation) {
  const std::vector<Argument> arguments = ArgumentReader(inputs, use, compilation).Read();
  return arguments.empty() ? body : Putter(arguments, compilation).Put(body);
}

}  // namespace dsl
