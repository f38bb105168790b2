// SPDX-License-Identifier: Apache-2.0
// Test reports in JUnit's form, as a dozen programs write it: `testsuites`, `testsuite` (which may
// nest) and `testcase` with `failure`, `error` or `skipped` inside. The files come from steps, so
// they may be anything: entities are not expanded (but for XML's own five), nesting is not walked
// recursively, and size and memory are bounded. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/model/test_results.h"

namespace agents::reports {

inline constexpr std::uint64_t kReportBytesMax = 32ULL << 20;
/// What reading one file may take beside its bytes.
inline constexpr std::uint64_t kTreeBytesMax = 128ULL << 20;
inline constexpr std::size_t kCasesMax = 200'000;
inline constexpr std::size_t kProblemsMax = 20;

/// Adds the cases of one file, or the problem that it has: not XML, not JUnit's form, too large.
/// `path` is for messages; paths below `workspace` become relative to it.
void AddJUnit(std::string_view path, std::string content, std::string_view workspace,
              engine::model::TestResults& results);
/// Above `kProblemsMax` only counted.
void AddProblem(std::string problem, engine::model::TestResults& results);

/// The first `path:line` of a text as compilers and test programs print it.
struct Location {
  std::string file;
  std::uint32_t line = 0;
};
Location FindLocation(std::string_view text);

}  // namespace agents::reports
