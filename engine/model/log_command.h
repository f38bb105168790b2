// SPDX-License-Identifier: Apache-2.0
// Lines of a step's output that are more than text (docs/steps.md):
//
//   ::error file=F,line=N,endLine=N,col=N,endColumn=N,title=T::MESSAGE     also warning, notice
//   ::group::NAME
//   ::endgroup::
//
// A line of another form is ordinary text, and so is a command that is not known. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/annotation.h"

namespace engine::model {

struct LogCommand {
  enum class Kind : std::uint8_t { kAnnotation, kGroup, kEndGroup };
  Kind kind = Kind::kAnnotation;
  Annotation annotation;
  std::string group;  ///< its name; may be empty
};

/// `line` without its newline; a carriage return at its end does not count. Nothing: it is text,
/// which costs one comparison for a line that does not begin like a command.
std::optional<LogCommand> ParseLogCommand(std::string_view line);

/// `app.js:3:7`, `app.js:3`, `app.js`; empty when no file was named.
std::string PlaceOf(const Annotation& annotation);

}  // namespace engine::model
