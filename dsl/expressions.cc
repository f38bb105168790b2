// SPDX-License-Identifier: Apache-2.0
#include "dsl/expressions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "dsl/expression_checker.h"
#include "dsl/values.h"
#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"

namespace dsl {
namespace {

constexpr std::string_view kStart = "${{";
constexpr std::string_view kEnd = "}}";

/// The expression of an `if` without its `${{ }}`, and where in the text it begins.
std::optional<std::pair<std::string_view, std::size_t>> Unwrap(std::string_view text) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  const auto trim = [&] {
    while (begin < end && (text[begin] == ' ' || text[begin] == '\n' || text[begin] == '\t')) {
      ++begin;
    }
    while (begin < end &&
           (text[end - 1] == ' ' || text[end - 1] == '\n' || text[end - 1] == '\t')) {
      --end;
    }
  };
  trim();
  if (text.find(kStart) != std::string_view::npos) {
    const std::string_view whole = text.substr(begin, end - begin);
    if (!whole.starts_with(kStart) || !whole.ends_with(kEnd) || whole.size() < 5 ||
        whole.find(kStart, 1) != std::string_view::npos) {
      return std::nullopt;
    }
    begin += kStart.size();
    end -= kEnd.size();
    trim();
  }
  return std::pair(text.substr(begin, end - begin), begin);
}

engine::model::SourcePosition PositionInside(NodeRef node, std::size_t position) {
  const LineColumn at = node.document().source.At(node.PlaceInside(position, 0).span.begin);
  return {node.document().file, at.line, at.column};
}

}  // namespace

engine::model::Template ReadTemplate(NodeRef node, Site site, const JobNames* names,
                                     Compilation& compilation) {
  engine::model::Template result;
  if (!node) {
    return result;
  }
  result.text = node.text();
  result.at = PositionOf(node);
  if (result.text.find(kStart) == std::string::npos) {
    return result;
  }
  ExpressionChecker checker(node, 0, site, names, compilation);
  const auto parsed = engine::expr::TemplateText::Parse(result.text);
  if (!parsed.ok()) {
    checker.Syntax(parsed.error());
    return result;
  }
  result.has_expression = parsed.value().has_expression();
  checker.CheckAll(parsed.value().References(), parsed.value().Functions());
  if (!result.has_expression) {
    // Only `$${{`: nothing to evaluate, so it is spelled out now.
    const auto plain = parsed.value().Render(engine::expr::MapScope());
    result.text = plain.ok() ? plain.value() : result.text;
  }
  return result;
}

namespace {

/// One whole expression; `what` is its key, for messages.
engine::model::Condition ReadWhole(NodeRef node, std::string_view what, Site site,
                                   const JobNames* names, Compilation& compilation) {
  engine::model::Condition condition;
  if (!node) {
    return condition;
  }
  const auto unwrapped = Unwrap(node.text());
  if (!unwrapped) {
    compilation.reporter
        .Error(
            "mixed-condition", node.place(),
            fmt::format("`{}` is one expression: a part of it cannot stand outside of `${{{{ }}}}`",
                        what))
        .hint = "put all of it inside one `${{ }}`, or leave `${{ }}` out";
    return condition;
  }
  const auto [text, begin] = *unwrapped;
  if (text.empty()) {
    compilation.reporter.Error("empty-value", node.place(),
                               fmt::format("`{}` must not be empty", what));
    return condition;
  }
  condition.text = text;
  condition.at = PositionInside(node, begin);
  ExpressionChecker checker(node, begin, site, names, compilation);
  const auto parsed = engine::expr::Expression::Parse(text);
  if (!parsed.ok()) {
    checker.Syntax(parsed.error());
    return condition;
  }
  condition.decides_alone = parsed.value().DecidesAlone();
  checker.CheckAll(parsed.value().References(), parsed.value().Functions());
  return condition;
}

}  // namespace

engine::model::Condition ReadCondition(NodeRef node, Site site, const JobNames* names,
                                       Compilation& compilation) {
  return ReadWhole(node, "if", site, names, compilation);
}

engine::model::Condition ReadList(NodeRef node, const JobNames* names, Compilation& compilation) {
  return ReadWhole(node, "for_each", Site::kList, names, compilation);
}

void ReadVariables(NodeRef map, std::string_view what, Site site, const JobNames* names,
                   Compilation& compilation, std::vector<engine::model::EnvVar>& variables) {
  if (!map) {
    return;
  }
  for (const Entry& entry : EntriesOf(map, compilation.reporter)) {
    const std::string_view name = entry.key.text();
    const bool good = what == "env" ? IsVariableName(name) : IsWord(name);
    if (!good) {
      compilation.reporter
          .Error("bad-name", entry.key.place(), fmt::format("`{}` is no name for `{}`", name, what))
          .hint = "a name has letters, digits and `_`, and begins with no digit";
    }
    if (!entry.value.is_scalar() && !entry.value.is_null()) {
      compilation.reporter.Error(
          "wrong-type", entry.value.place(),
          fmt::format("`{}` takes a single value, not {}", name, Describe(entry.value.kind())));
      continue;
    }
    engine::model::Template value = ReadTemplate(entry.value, site, names, compilation);
    const auto known =
        std::find_if(variables.begin(), variables.end(),
                     [&](const engine::model::EnvVar& variable) { return variable.name == name; });
    if (known != variables.end()) {
      known->value = std::move(value);
    } else {
      variables.push_back({std::string(name), std::move(value)});
    }
  }
}

}  // namespace dsl
