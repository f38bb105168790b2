// SPDX-License-Identifier: Apache-2.0
// The test results of a run, for people and for programs. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/view/summary.h"
#include "engine/model/test_results.h"

namespace apps::view {

struct JobTests {
  std::string job;
  model::TestTotals totals;
  model::TestResults results;
  std::string missing;  ///< not empty: why `results` could not be had; the totals are there
};

/// Totals, failures with message and place, the slowest, and what could not be read.
std::string TestReportText(std::string_view run, const std::vector<JobTests>& jobs,
                           const Look& look);
/// One object: totals of the run, and each job with all its cases.
std::string TestReportJson(std::string_view run, const std::vector<JobTests>& jobs);

/// `{"tests":…,"failed":…,"skipped":…,"problems":…,"took_us":…}`
std::string TestTotalsJson(const model::TestTotals& totals);

/// `3 of 120 tests failed: core.parses, net.connects`; `120 tests, 4 skipped`.
std::string TestsInBrief(const model::TestTotals& totals);

}  // namespace apps::view
