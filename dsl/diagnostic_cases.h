// SPDX-License-Identifier: Apache-2.0
// Texts with one mistake each, for `diagnostics_test.cc`: `§` stands where the diagnostic must
// begin.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/pipeline_under_test.h"

namespace dsl {

inline constexpr std::string_view kMark = "§";

struct Case {
  std::string name;
  std::string text;
  std::vector<std::string> codes;  ///< in the order of the file; the mark is the last one's
  Severity severity = Severity::kError;
  std::string included = "";  ///< the text of `i.yml`; the mark may stand there
};

std::span<const Case> FileCases();
std::span<const Case> KeyCases();
std::span<const Case> ReuseCases();
std::span<const Case> GuaranteeCases();
std::span<const Case> TriggerCases();
std::span<const Case> InputCases();
std::span<const Case> OrderCases();
std::span<const Case> MatrixCases();
std::span<const Case> ExpressionCases();

}  // namespace dsl
