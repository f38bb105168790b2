// SPDX-License-Identifier: Apache-2.0
// Compiles a text, for tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dsl/compile.h"

namespace dsl {

inline Compiled CompileText(std::string_view text, const CompileOptions& options = {}) {
  MemorySourceLoader loader;
  loader.Add("p.yml", std::string(text));
  return Compile("p.yml", loader, options);
}

/// `unknown-key 3:5`, `unknown-key 3:5 (warning)`: what tests compare.
inline std::string Brief(const Diagnostic& diagnostic) {
  return fmt::format("{} {}:{}{}", diagnostic.code, diagnostic.line, diagnostic.column,
                     diagnostic.severity == Severity::kWarning ? " (warning)" : "");
}

inline std::vector<std::string> Brief(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : diagnostics) {
    texts.push_back(Brief(diagnostic));
  }
  return texts;
}

/// The plan of a text that has no fault.
inline engine::model::PlanRef PlanOf(std::string_view text) {
  Compiled compiled = CompileText(text);
  for (const Diagnostic& diagnostic : compiled.diagnostics) {
    ADD_FAILURE() << Brief(diagnostic) << ": " << diagnostic.message;
  }
  return compiled.plan;
}

}  // namespace dsl
