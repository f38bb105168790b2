// SPDX-License-Identifier: Apache-2.0
#include "apps/view/log_text.h"

#include <algorithm>

#include "apps/view/annotation_report.h"
#include "engine/model/log_command.h"

namespace apps::view {
namespace {

// Escapes stay as they are written: secrets were looked for before, and one of which only a part
// was escaped would stand here in clear.
std::string WithoutEscapes(std::string_view line) {
  std::string text;
  for (const char c : line) {
    text += c == '%' ? std::string("%25") : std::string(1, c);
  }
  return text;
}

}  // namespace

std::string LogText::Indented(std::string_view line) const {
  return std::string(2 * std::min(depth_, kDepthMax), ' ') + Sanitise(line);
}

std::vector<std::string> LogText::Lines(std::string_view line) {
  const auto command = model::ParseLogCommand(WithoutEscapes(line));
  if (!command) {
    return {Indented(line)};
  }
  std::vector<std::string> lines;
  switch (command->kind) {
    case model::LogCommand::Kind::kGroup:
      lines.push_back(Indented("▾ " + command->group));
      ++depth_;
      break;
    case model::LogCommand::Kind::kEndGroup:
      depth_ -= std::min<std::size_t>(depth_, 1);
      break;
    case model::LogCommand::Kind::kAnnotation:
      for (const std::string& each : InWords(command->annotation)) {
        lines.push_back(Indented(each));
      }
      break;
  }
  return lines;
}

}  // namespace apps::view
