// SPDX-License-Identifier: Apache-2.0
#include "apps/view/test_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps::view {
namespace {

using model::TestOutcome;
using ::testing::HasSubstr;
using ::testing::Not;

JobTests Sample() {
  JobTests job;
  job.job = "unit";
  job.totals.tests = 4;
  job.totals.failed = 1;
  job.totals.skipped = 1;
  job.totals.problems = 1;
  job.totals.took = std::chrono::milliseconds(3200);
  job.results.cases = {
      {"Sum", "Adds", TestOutcome::kPassed, std::chrono::seconds(2), "", "", "", 0},
      {"Sum", "Carries", TestOutcome::kFailed, std::chrono::seconds(1), "1 is not 2",
       "expected 2\n\x1b[31mgot 1\x1b[0m", "sum_test.cc", 12},
      {"", "later", TestOutcome::kSkipped, {}, "not today", "", "", 0},
      {"Net", "Connects", TestOutcome::kPassed, std::chrono::milliseconds(200), "", "", "", 0}};
  job.results.problems = {"out/b.xml: is not XML: line 3"};
  job.results.omitted = 2;
  return job;
}

TEST(TestReport, ShowsTotalsFailuresTheSlowestAndProblems) {
  EXPECT_EQ(TestReportText("01JR", {Sample()}, {.unicode = true}),
            "run 01JR: 4 tests, 1 failed, 1 skipped in 3.2s\n"
            "\n"
            "✗ unit  4 tests, 1 failed, 1 skipped in 3.2s\n"
            "  ✗ Sum.Carries  sum_test.cc:12\n"
            "      expected 2\n"
            "      got 1\n"
            "  slowest       2.0s  Sum.Adds\n"
            "                1.0s  Sum.Carries\n"
            "                0.2s  Net.Connects\n"
            "  problem   out/b.xml: is not XML: line 3\n"
            "  2 results are not listed: there were too many\n");
}

TEST(TestReport, SaysWhenThereIsNothingAndWhatIsGone) {
  EXPECT_THAT(TestReportText("01JR", {}, {}), HasSubstr("no job has test reports"));
  JobTests gone = Sample();
  gone.results = {};
  gone.missing = "there is no chunk ab";
  EXPECT_THAT(TestReportText("01JR", {gone}, {}),
              HasSubstr("the results cannot be shown: there is no chunk ab"));
}

TEST(TestReport, GivesProgramsEveryCase) {
  const std::string json = TestReportJson("01JR", {Sample()});
  EXPECT_THAT(json, HasSubstr(R"({"run":"01JR","tests":4,"failed":1,"skipped":1,"problems":1,)"
                              R"("took_us":3200000,"jobs":[{"job":"unit","tests":4,)"));
  EXPECT_THAT(json, HasSubstr(R"({"suite":"Sum","name":"Adds","outcome":"passed",)"
                              R"("took_us":2000000,"message":null,"details":null,"file":null,)"
                              R"("line":null})"));
  EXPECT_THAT(json, HasSubstr(R"("file":"sum_test.cc","line":12})"));
  EXPECT_THAT(json, HasSubstr(R"("problem_texts":["out/b.xml: is not XML: line 3"])"));
  EXPECT_THAT(json, Not(HasSubstr("\x1b")));
}

TEST(TestsInBrief, NamesTheFirstThatFailed) {
  model::TestTotals totals;
  totals.tests = 1;
  EXPECT_EQ(TestsInBrief(totals), "1 test");
  totals.tests = 120;
  totals.skipped = 4;
  EXPECT_EQ(TestsInBrief(totals), "120 tests, 4 skipped");
  totals.failed = 7;
  totals.failures = {"a", "b", "c", "d", "e", "f"};
  EXPECT_EQ(TestsInBrief(totals), "7 of 120 tests failed: a, b, c, d, e and 2 more");
  totals.failures.clear();
  EXPECT_EQ(TestsInBrief(totals), "7 of 120 tests failed");
}

}  // namespace
}  // namespace apps::view
