// SPDX-License-Identifier: Apache-2.0
// What steps say about places in files, by log commands (docs/steps.md). Texts come from programs
// that steps ran: masked, of bounded length, otherwise any bytes until they are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/ids.h"

namespace engine::model {

enum class Severity : std::uint8_t { kError = 0, kWarning = 1, kNotice = 2 };

constexpr std::string_view ToText(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNotice:
      return "notice";
  }
  return "error";
}

struct Annotation {
  StepIndex step{0};  ///< of its job
  Severity severity = Severity::kError;
  std::string file;  ///< as the step wrote it, relative to the workspace if in there; may be empty
  std::uint32_t line = 0;  ///< from 1, as the other three; 0: not said
  std::uint32_t end_line = 0;
  std::uint32_t column = 0;
  std::uint32_t end_column = 0;
  std::string title;    ///< may be empty
  std::string message;  ///< may have several lines
  bool cut = false;     ///< the end of the message is missing
  friend bool operator==(const Annotation&, const Annotation&) = default;
};

struct AnnotationCounts {
  std::uint32_t errors = 0;
  std::uint32_t warnings = 0;
  std::uint32_t notices = 0;

  std::uint32_t total() const { return errors + warnings + notices; }
  std::uint32_t& Of(Severity severity) {
    return severity == Severity::kError     ? errors
           : severity == Severity::kWarning ? warnings
                                            : notices;
  }
  void Add(const AnnotationCounts& other) {
    errors += other.errors;
    warnings += other.warnings;
    notices += other.notices;
  }
  friend bool operator==(const AnnotationCounts&, const AnnotationCounts&) = default;
};

struct Annotations {
  AnnotationCounts counts;       ///< of all that were made
  std::vector<Annotation> list;  ///< fewer, when there were too many; in the order they were made
  friend bool operator==(const Annotations&, const Annotations&) = default;
};

}  // namespace engine::model
