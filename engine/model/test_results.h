// SPDX-License-Identifier: Apache-2.0
// What the test reports of a job say, case by case. Texts come from programs that steps ran: they
// are valid UTF-8 and of bounded length, nothing more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/run_context.h"

namespace engine::model {

enum class TestOutcome : std::uint8_t {
  kPassed,
  kFailed,
  kError,  ///< it ended before it could tell
  kSkipped,
};

struct TestCase {
  std::string suite;  ///< class or suite; may be empty
  std::string name;
  TestOutcome outcome = TestOutcome::kPassed;
  base::Duration took{0};
  std::string message;     ///< of a failure, an error, a skip: one line or a few
  std::string details;     ///< of a failure, an error
  std::string file;        ///< relative to the workspace where it is in there; empty: not known
  std::uint32_t line = 0;  ///< 0: not known
  friend bool operator==(const TestCase&, const TestCase&) = default;
};

struct TestResults {
  /// Of all cases, those that are not listed included; `document` and `failures` are not set.
  TestTotals totals;
  std::vector<TestCase> cases;  ///< in the order of the reports
  std::uint32_t omitted = 0;    ///< cases that were too many to be kept; none that failed first
  std::vector<std::string> problems;  ///< reports that could not be read, a sentence each
  friend bool operator==(const TestResults&, const TestResults&) = default;
};

/// `suite.name`, or what of the two there is.
inline std::string NameOf(const TestCase& test) {
  return test.suite.empty() || test.name.empty() ? test.suite + test.name
                                                 : test.suite + "." + test.name;
}
inline bool HasFailed(const TestCase& test) {
  return test.outcome == TestOutcome::kFailed || test.outcome == TestOutcome::kError;
}

}  // namespace engine::model
