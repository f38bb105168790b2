// SPDX-License-Identifier: Apache-2.0
// Patterns over paths of a workspace. Pure; the time is bounded by the product of both lengths.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace store::artifacts {

/// `*` and `?` stop at `/`; `**` as a whole part stands for any number of parts, none included.
/// Names that begin with a dot are names like any other.
bool GlobMatches(std::string_view pattern, std::string_view path);

/// The list of an artifact's paths, made ready.
class PathPatterns {
 public:
  /// `InvalidArgument` names one that is absolute, empty or goes up (`..`).
  static engine::base::StatusOr<PathPatterns> Make(const std::vector<std::string>& texts);

  struct Pattern {
    std::string text;    ///< as it was written
    std::string glob;    ///< without `!`, `./` and a `/` at the end; empty: the workspace itself
    std::string prefix;  ///< the longest leading folder (or whole path) without wildcards
    bool excludes = false;
    bool is_literal = false;
  };
  const std::vector<Pattern>& all() const { return patterns_; }

  /// Whether the last pattern that matches `path`, or a folder it lies in, takes it in.
  bool Includes(std::string_view path) const;
  /// Whether `pattern` matches `path` or a folder it lies in.
  static bool Covers(const Pattern& pattern, std::string_view path);

 private:
  std::vector<Pattern> patterns_;
};

}  // namespace store::artifacts
