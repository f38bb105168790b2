// SPDX-License-Identifier: Apache-2.0
#include "dsl/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

constexpr std::string_view kExpressionStart = "${{";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Diagnostic& WrongValue(NodeRef node, std::string_view what, std::string_view wanted,
                       Reporter& reporter) {
  if (node.is_scalar()) {
    return reporter.Error("wrong-value", node.place(),
                          fmt::format("`{}` takes {}, not `{}`", what, wanted, node.text()));
  }
  return reporter.Error("wrong-type", node.place(),
                        fmt::format("`{}` takes {}, not {}", what, wanted, Describe(node.kind())));
}

/// Expressions are only evaluated where the language says so; elsewhere they would stand as mere
/// text.
bool HasExpression(NodeRef node, std::string_view what, Reporter& reporter) {
  const std::size_t at = node.text().find(kExpressionStart);
  if (at == std::string_view::npos) {
    return false;
  }
  reporter.Error("expression-not-here", node.PlaceInside(at, kExpressionStart.size()),
                 fmt::format("`{}` takes no expression: it must be known before a run", what));
  return true;
}

bool IsOneOf(std::string_view text, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 3> kTrue = {"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalse = {"false", "False", "FALSE"};
constexpr std::array<std::string_view, 9> kYes = {"yes", "Yes", "YES", "on", "On",
                                                  "ON",  "y",   "Y",   "1"};
constexpr std::array<std::string_view, 9> kNo = {"no",  "No", "NO", "off", "Off",
                                                 "OFF", "n",  "N",  "0"};

/// The integer forms of YAML 1.2 that JSON does not have: `0x1F`, `0o17`.
std::optional<double> PrefixedInteger(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 0;
  std::uint64_t value = 0;
  if (base == 0 || text.size() == 2) {
    return std::nullopt;
  }
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, value, base);
  return error == std::errc() && stop == end ? std::optional(static_cast<double>(value))
                                             : std::nullopt;
}

/// `[-+]? ( \. digits | digits ( \. digits* )? ) ( [eE] [-+]? digits )?`
bool IsDecimal(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && IsDigit(text[at])) {
      ++at;
    }
    return at - begin;
  };
  const auto sign = [&] { at += at < text.size() && (text[at] == '-' || text[at] == '+') ? 1 : 0; };
  sign();
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    if (digits() == 0) {
      return false;
    }
  }
  return at == text.size();
}

/// The same number in JSON's narrower grammar.
std::string JsonNumber(std::string_view text, double value) {
  std::string_view digits = text;
  if (digits.starts_with('-')) {
    digits.remove_prefix(1);
  }
  const std::size_t dot = digits.find('.');
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' &&
                            (IsDigit(digits[1]) || digits[1] == 'x' || digits[1] == 'o');
  const bool bare_dot = dot != std::string_view::npos &&
                        (dot == 0 || dot + 1 == digits.size() || !IsDigit(digits[dot + 1]));
  const bool same = !digits.empty() && IsDigit(digits[0]) && !leading_zero && !bare_dot;
  return same ? std::string(text) : fmt::format("{}", value);
}

void AppendJson(NodeRef node, std::string& out);

void AppendScalarJson(NodeRef node, std::string& out) {
  const std::string_view text = node.text();
  if (node.plain() && IsOneOf(text, kTrue)) {
    out += "true";
  } else if (node.plain() && IsOneOf(text, kFalse)) {
    out += "false";
  } else if (const std::optional<double> number = NumberOf(node)) {
    out += JsonNumber(text, *number);
  } else {
    AppendJsonString(text, out);
  }
}

void AppendListJson(NodeRef node, std::string& out) {
  out += '[';
  for (std::uint32_t i = 0; i < node.size(); ++i) {
    out += i > 0 ? "," : "";
    AppendJson(node[i], out);
  }
  out += ']';
}

void AppendMapJson(NodeRef node, std::string& out) {
  out += '{';
  for (std::uint32_t i = 0; i < node.entries(); ++i) {
    out += i > 0 ? "," : "";
    AppendJsonString(node.key(i).text(), out);
    out += ':';
    AppendJson(node.value(i), out);
  }
  out += '}';
}

void AppendJson(NodeRef node, std::string& out) {
  switch (node.kind()) {
    case NodeKind::kScalar:
      AppendScalarJson(node, out);
      break;
    case NodeKind::kSequence:
      AppendListJson(node, out);
      break;
    case NodeKind::kMap:
      AppendMapJson(node, out);
      break;
    case NodeKind::kNull:
    case NodeKind::kAlias:
    case NodeKind::kGraft:
      out += "null";
      break;
  }
}

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr SizeUnit kSizeUnits[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
};

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number == 0) {
    return std::nullopt;
  }
  std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  for (const SizeUnit& known : kSizeUnits) {
    if (known.name == unit && number <= (1ULL << 50) / known.bytes) {
      return number * known.bytes;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<bool> ReadBoolean(NodeRef node, std::string_view what, Reporter& reporter) {
  if (!node) {
    return std::nullopt;
  }
  if (node.is_scalar() && node.plain() && IsOneOf(node.text(), kTrue)) {
    return true;
  }
  if (node.is_scalar() && node.plain() && IsOneOf(node.text(), kFalse)) {
    return false;
  }
  if (node.is_scalar() && HasExpression(node, what, reporter)) {
    return std::nullopt;
  }
  Diagnostic& diagnostic = WrongValue(node, what, "true or false", reporter);
  const bool yes = IsOneOf(node.text(), kYes) || IsOneOf(node.text(), kTrue);
  if (yes || IsOneOf(node.text(), kNo) || IsOneOf(node.text(), kFalse)) {
    diagnostic.hint =
        fmt::format("`{}` is text in YAML 1.2: write {}", node.text(), yes ? "true" : "false");
  }
  return std::nullopt;
}

std::optional<std::int64_t> ReadInteger(NodeRef node, std::string_view what, std::int64_t min,
                                        std::int64_t max, Reporter& reporter) {
  if (!node || (node.is_scalar() && HasExpression(node, what, reporter))) {
    return std::nullopt;
  }
  const std::optional<double> number = NumberOf(node);
  if (!number || std::floor(*number) != *number) {
    WrongValue(node, what, "a whole number", reporter);
    return std::nullopt;
  }
  if (*number < static_cast<double>(min) || *number > static_cast<double>(max)) {
    reporter.Error("out-of-range", node.place(),
                   fmt::format("`{}` must be between {} and {}", what, min, max));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

std::optional<double> ReadNumber(NodeRef node, std::string_view what, double min, double max,
                                 Reporter& reporter) {
  if (!node || (node.is_scalar() && HasExpression(node, what, reporter))) {
    return std::nullopt;
  }
  const std::optional<double> number = NumberOf(node);
  if (!number) {
    WrongValue(node, what, "a number", reporter);
    return std::nullopt;
  }
  if (!(*number >= min && *number <= max)) {
    reporter.Error("out-of-range", node.place(),
                   fmt::format("`{}` must be between {} and {}", what, min, max));
    return std::nullopt;
  }
  return number;
}

std::optional<engine::base::Duration> ReadDuration(NodeRef node, std::string_view what,
                                                   Reporter& reporter) {
  if (!node || (node.is_scalar() && HasExpression(node, what, reporter))) {
    return std::nullopt;
  }
  const std::optional<engine::base::Duration> length = engine::base::ParseDuration(node.text());
  if (!node.is_scalar() || !length) {
    WrongValue(node, what, "a duration", reporter).hint =
        "write `90s`, `10m`, `1h30m`, `7d`, or a number of seconds";
    return std::nullopt;
  }
  if (length->count() == 0) {
    reporter.Error("out-of-range", node.place(), fmt::format("`{}` must be more than 0", what));
    return std::nullopt;
  }
  return length;
}

std::optional<std::uint64_t> ReadSize(NodeRef node, std::string_view what, Reporter& reporter) {
  if (!node || (node.is_scalar() && HasExpression(node, what, reporter))) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> bytes = ParseSize(node.text());
  if (!bytes) {
    WrongValue(node, what, "a size", reporter).hint =
        "write `64MiB`, `1GB`, or a number of bytes, at most 1024 TiB";
  }
  return bytes;
}

std::optional<std::size_t> ReadWord(NodeRef node, std::string_view what,
                                    std::span<const std::string_view> words, Reporter& reporter) {
  if (!node || (node.is_scalar() && HasExpression(node, what, reporter))) {
    return std::nullopt;
  }
  const auto found = std::find(words.begin(), words.end(), node.text());
  if (node.is_scalar() && found != words.end()) {
    return static_cast<std::size_t>(found - words.begin());
  }
  Diagnostic& diagnostic =
      WrongValue(node, what, fmt::format("one of {}", fmt::join(words, ", ")), reporter);
  diagnostic.hint = engine::base::DidYouMean(node.text(), words);
  return std::nullopt;
}

std::optional<std::string> ReadText(NodeRef node, std::string_view what, Reporter& reporter) {
  if (!node) {
    return std::nullopt;
  }
  if (!node.is_scalar()) {
    WrongValue(node, what, "a single value", reporter);
    return std::nullopt;
  }
  if (HasExpression(node, what, reporter)) {
    return std::nullopt;
  }
  if (node.text().empty()) {
    reporter.Error("empty-value", node.place(), fmt::format("`{}` must not be empty", what));
    return std::nullopt;
  }
  return std::string(node.text());
}

std::vector<NodeRef> ReadScalars(NodeRef node, std::string_view what, Reporter& reporter) {
  std::vector<NodeRef> found;
  if (!node) {
    return found;
  }
  if (!node.is_sequence()) {
    return {node};
  }
  for (std::uint32_t i = 0; i < node.size(); ++i) {
    if (node[i].is_scalar()) {
      found.push_back(node[i]);
    } else {
      WrongValue(node[i], what, "single values", reporter);
    }
  }
  return found;
}

std::vector<std::string> ReadTexts(NodeRef node, std::string_view what, Reporter& reporter) {
  std::vector<std::string> texts;
  for (const NodeRef item : ReadScalars(node, what, reporter)) {
    if (std::optional<std::string> text = ReadText(item, what, reporter)) {
      texts.push_back(std::move(*text));
    }
  }
  return texts;
}

std::optional<double> NumberOf(NodeRef node) {
  if (!node.is_scalar() || !node.plain() || node.text().empty()) {
    return std::nullopt;
  }
  std::string_view text = node.text();
  if (const std::optional<double> number = PrefixedInteger(text)) {
    return number;
  }
  if (!IsDecimal(text)) {
    return std::nullopt;
  }
  text.remove_prefix(text[0] == '+' ? 1 : 0);
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

engine::model::JsonText JsonOf(NodeRef node) {
  std::string out;
  AppendJson(node, out);
  return out;
}

std::string ComparableOf(NodeRef node) {
  const std::optional<double> number = NumberOf(node);
  return number ? fmt::format("{}", *number == 0 ? 0 : *number) : JsonOf(node);
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string JsonString(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

bool IsVariableName(std::string_view name) {
  return !name.empty() && !IsDigit(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '_';
  });
}

bool IsWord(std::string_view name) {
  return !name.empty() && name.size() <= 100 && (IsLetter(name[0]) || name[0] == '_') &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLetter(c) || IsDigit(c) || c == '_' || c == '-'; });
}

bool IsJobName(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || c == '.';
         });
}

std::optional<std::string_view> PathFault(std::string_view path) {
  if (path.empty()) {
    return "must not be empty";
  }
  if (path.front() == '/') {
    return "must be relative to the workspace";
  }
  int depth = 0;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    depth += part == ".." ? -1 : part.empty() || part == "." ? 0 : 1;
    if (depth < 0) {
      return "must stay inside the workspace";
    }
    at = end + 1;
  }
  return std::nullopt;
}

engine::model::SourcePosition PositionOf(NodeRef node) {
  const LineColumn at = node.At();
  return {node.document().file, at.line, at.column};
}

}  // namespace dsl
