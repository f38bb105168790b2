// SPDX-License-Identifier: Apache-2.0
// One problem in a pipeline or in what was given to it: where, which, and how to mend it. Plain
// values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dsl {

enum class Severity : std::uint8_t { kError, kWarning };

/// Another place that belongs to a problem: the first of two duplicate keys, the alias that brought
/// a value in.
struct RelatedPlace {
  std::string message;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const RelatedPlace&, const RelatedPlace&) = default;
};

/// Lines and columns count from 1, columns in Unicode code points; line 0: the file (or the call)
/// as a whole.
struct Diagnostic {
  std::string code;  ///< stable, kebab case: `unknown-key`; listed in docs/language.md
  Severity severity = Severity::kError;
  std::string message;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t end_line = 0;
  std::uint32_t end_column = 0;  ///< the column after the last one
  std::string hint;              ///< may be empty
  std::vector<RelatedPlace> related;
  /// The offending line without its end; of a very long line the part around the column.
  std::string source_line;
  std::uint32_t source_line_column = 1;  ///< the column of `source_line`'s first character
  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

inline bool HasErrors(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Severity::kError) {
      return true;
    }
  }
  return false;
}

}  // namespace dsl
