// SPDX-License-Identifier: Apache-2.0
// Collects the problems of one compilation, in any order; hands them out once, by position, each
// once.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dsl/diagnostic.h"
#include "dsl/document.h"

namespace dsl {

class Reporter {
 public:
  explicit Reporter(std::uint32_t diagnostics_max) : diagnostics_max_(diagnostics_max) {}

  /// The new diagnostic, to be completed by the caller at once (hint, related places).
  Diagnostic& Error(std::string_view code, const Place& place, std::string message);
  Diagnostic& Warning(std::string_view code, const Place& place, std::string message);
  /// About a file as a whole.
  Diagnostic& FileError(std::string_view code, const std::string& path, std::string message);

  bool has_errors() const { return has_errors_; }
  std::vector<Diagnostic> Take();

 private:
  Diagnostic& Add(std::string_view code, Severity severity, std::string message);
  /// The same was said already of a value that many use.
  bool IsRepeated(std::string_view code, const Place& place, const std::string& message);

  std::uint32_t diagnostics_max_;
  std::deque<Diagnostic> diagnostics_;
  std::unordered_set<std::string> shared_;  // what was said of values reached through something
  Diagnostic beyond_;  // where diagnostics go that are not kept: above the limit, repeated
  std::uint64_t dropped_ = 0;
  bool has_errors_ = false;
};

/// A related place with `message`.
RelatedPlace Related(const Place& place, std::string message);
/// How the place was reached, the nearest step first: alias, templates, includes.
void AddWay(const Place& place, std::vector<RelatedPlace>& way);

}  // namespace dsl
