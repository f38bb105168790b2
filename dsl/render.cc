// SPDX-License-Identifier: Apache-2.0
#include "dsl/render.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dsl {
namespace {

constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kBlue = "\x1b[34m";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view ToText(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

std::string Paint(std::string_view text, std::string_view color, bool enabled) {
  return enabled ? fmt::format("{}{}{}", color, text, kReset) : std::string(text);
}

std::string At(const std::string& file, std::uint32_t line, std::uint32_t column) {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// What stands under the line up to the column: tabs stay, so that the caret is right at any tab
/// width.
std::string Padding(const std::string& line, std::size_t columns) {
  std::string padding;
  for (const char c : line) {
    if (IsContinuation(c)) {
      continue;
    }
    if (padding.size() == columns) {
      break;
    }
    padding += c == '\t' ? '\t' : ' ';
  }
  return padding;
}

std::string RenderLine(const Diagnostic& d, bool color) {
  const std::string number = fmt::format("{:>5}", d.line);
  const std::size_t before = d.column - std::min(d.column, d.source_line_column);
  const auto shown = static_cast<std::size_t>(std::count_if(
      d.source_line.begin(), d.source_line.end(), [](char c) { return !IsContinuation(c); }));
  const std::size_t wanted =
      d.end_line == d.line && d.end_column > d.column ? d.end_column - d.column : 1;
  const std::size_t room = std::max<std::size_t>(1, shown - std::min(shown, before));
  const std::string mark = "^" + std::string(std::min(wanted, room) - 1, '~');
  return fmt::format("{} | {}\n{} | {}{}\n", Paint(number, kBlue, color), d.source_line,
                     Paint("     ", kBlue, color), Padding(d.source_line, before),
                     Paint(mark, d.severity == Severity::kError ? kRed : kYellow, color));
}

}  // namespace

std::string RenderText(const Diagnostic& diagnostic, bool color) {
  const std::string_view shade = diagnostic.severity == Severity::kError ? kRed : kYellow;
  const std::string where = At(diagnostic.file, diagnostic.line, diagnostic.column);
  std::string text = where.empty() ? "" : where + ": ";
  text += Paint(fmt::format("{}[{}]", ToText(diagnostic.severity), diagnostic.code), shade, color);
  text += fmt::format(": {}\n", diagnostic.message);
  if (diagnostic.line != 0 && !diagnostic.source_line.empty()) {
    text += RenderLine(diagnostic, color);
  }
  if (!diagnostic.hint.empty()) {
    text += fmt::format("      = hint: {}\n", diagnostic.hint);
  }
  for (const RelatedPlace& place : diagnostic.related) {
    text +=
        fmt::format("      = {}: {}\n", At(place.file, place.line, place.column), place.message);
  }
  return text;
}

std::string RenderText(const std::vector<Diagnostic>& diagnostics, bool color) {
  if (diagnostics.empty()) {
    return "";
  }
  std::string text;
  std::size_t errors = 0;
  for (const Diagnostic& diagnostic : diagnostics) {
    text += RenderText(diagnostic, color);
    errors += diagnostic.severity == Severity::kError ? 1 : 0;
  }
  const std::size_t warnings = diagnostics.size() - errors;
  text += fmt::format("{} error{}, {} warning{}\n", errors, errors == 1 ? "" : "s", warnings,
                      warnings == 1 ? "" : "s");
  return text;
}

std::string RenderJson(const Diagnostic& diagnostic) {
  nlohmann::ordered_json related = nlohmann::ordered_json::array();
  for (const RelatedPlace& place : diagnostic.related) {
    related.push_back({{"message", place.message},
                       {"file", place.file},
                       {"line", place.line},
                       {"column", place.column}});
  }
  const nlohmann::ordered_json line = {
      {"code", diagnostic.code},         {"severity", ToText(diagnostic.severity)},
      {"message", diagnostic.message},   {"file", diagnostic.file},
      {"line", diagnostic.line},         {"column", diagnostic.column},
      {"end_line", diagnostic.end_line}, {"end_column", diagnostic.end_column},
      {"hint", diagnostic.hint},         {"related", related}};
  // File names and quoted text may be any bytes; JSON may not.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace dsl
