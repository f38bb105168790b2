// SPDX-License-Identifier: Apache-2.0
#include "engine/model/log_command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace engine::model {
namespace {

constexpr std::string_view kFence = "::";

struct Escape {
  std::string_view text;
  char stands_for;
};
/// The first three are known everywhere, all five in properties.
constexpr std::array<Escape, 5> kEscapes = {
    {{"%25", '%'}, {"%0D", '\r'}, {"%0A", '\n'}, {"%3A", ':'}, {"%2C", ','}}};
constexpr std::size_t kEscapesInMessage = 3;

std::string Unescape(std::string_view text, std::size_t known) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const auto end = kEscapes.begin() + static_cast<std::ptrdiff_t>(known);
    const auto* const found = std::find_if(
        kEscapes.begin(), end, [&](const Escape& each) { return text.starts_with(each.text); });
    plain += found == end ? text.front() : found->stands_for;
    text.remove_prefix(found == end ? 1 : found->text.size());
  }
  return plain;
}

std::string_view WithoutBlanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

/// What is no number counts as not said.
std::uint32_t Number(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? number : 0;
}

/// Properties that are not known are for others.
void SetProperty(std::string_view name, const std::string& value, Annotation& annotation) {
  if (name == "file") {
    annotation.file = value;
  } else if (name == "line") {
    annotation.line = Number(value);
  } else if (name == "endLine") {
    annotation.end_line = Number(value);
  } else if (name == "col") {
    annotation.column = Number(value);
  } else if (name == "endColumn") {
    annotation.end_column = Number(value);
  } else if (name == "title") {
    annotation.title = value;
  }
}

void ReadProperties(std::string_view text, Annotation& annotation) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view property = text.substr(0, end);
    const std::size_t equals = property.find('=');
    if (equals != std::string_view::npos) {
      SetProperty(WithoutBlanks(property.substr(0, equals)),
                  Unescape(WithoutBlanks(property.substr(equals + 1)), kEscapes.size()),
                  annotation);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<Severity> SeverityOf(std::string_view name) {
  for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNotice}) {
    if (name == ToText(severity)) {
      return severity;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<LogCommand> ParseLogCommand(std::string_view line) {
  if (!line.starts_with(kFence)) {
    return std::nullopt;
  }
  line.remove_prefix(kFence.size());
  const std::size_t end = line.find(kFence);
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const std::string_view head = line.substr(0, end);
  const std::string_view name = head.substr(0, head.find(' '));
  std::string text = Unescape(line.substr(end + kFence.size()), kEscapesInMessage);
  LogCommand command;
  if (const std::optional<Severity> severity = SeverityOf(name)) {
    command.annotation.severity = *severity;
    ReadProperties(head.substr(name.size()), command.annotation);
    command.annotation.message = std::move(text);
    const bool says_nothing =
        command.annotation.message.empty() && command.annotation.title.empty();
    return says_nothing ? std::nullopt : std::optional(std::move(command));
  }
  if (name == "group") {
    command.kind = LogCommand::Kind::kGroup;
    command.group = std::move(text);
    return command;
  }
  if (name == "endgroup") {
    command.kind = LogCommand::Kind::kEndGroup;
    return command;
  }
  return std::nullopt;
}

std::string PlaceOf(const Annotation& annotation) {
  if (annotation.file.empty() || annotation.line == 0) {
    return annotation.file;
  }
  return annotation.column == 0
             ? fmt::format("{}:{}", annotation.file, annotation.line)
             : fmt::format("{}:{}:{}", annotation.file, annotation.line, annotation.column);
}

}  // namespace engine::model
