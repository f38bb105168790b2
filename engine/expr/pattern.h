// SPDX-License-Identifier: Apache-2.0
// A regular expression for `matches`: RE2's syntax, time linear in the text, memory bounded.
// Internal to `engine/expr`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace engine::expr {

/// Immutable once compiled; may be shared between threads.
class Pattern {
 public:
  explicit Pattern(std::string_view text);
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  /// Empty when the pattern is well formed.
  std::string error() const;
  /// Somewhere in `text`. Only of a well-formed pattern.
  bool FoundIn(std::string_view text) const;

 private:
  std::string error_;
  std::unique_ptr<re2::RE2> compiled_;  // null when there is an error
};

}  // namespace engine::expr
