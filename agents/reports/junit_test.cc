// SPDX-License-Identifier: Apache-2.0
#include "agents/reports/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/reports/text.h"

namespace agents::reports {
namespace {

using engine::model::NameOf;
using engine::model::TestCase;
using engine::model::TestOutcome;
using engine::model::TestResults;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TestResults Read(std::string content) {
  TestResults results;
  AddJUnit("out/report.xml", std::move(content), "/ws", results);
  return results;
}

TEST(JUnit, ReadsWhatGoogleTestWrites) {
  const TestResults results = Read(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" name="AllTests">
  <testsuite name="Sum" tests="3">
    <testcase name="Adds" file="/ws/sum_test.cc" line="7" status="run" time="0.25" classname="Sum" />
    <testcase name="Carries" file="/ws/sum_test.cc" line="11" status="run" time="1.5" classname="Sum">
      <failure message="/ws/sum_test.cc:12&#x0A;Expected equality" type=""><![CDATA[/ws/sum_test.cc:12
Expected equality of these values:
  1 & 2]]></failure>
    </testcase>
    <testcase name="DISABLED_Never" status="notrun" time="0." classname="Sum" />
  </testsuite>
</testsuites>)");
  EXPECT_EQ(results.totals.tests, 3U);
  EXPECT_EQ(results.totals.failed, 1U);
  EXPECT_EQ(results.totals.skipped, 1U);
  EXPECT_EQ(results.totals.took, std::chrono::milliseconds(1750));
  ASSERT_EQ(results.cases.size(), 3U);
  EXPECT_EQ(results.cases[0].line, 7U);
  const TestCase& failed = results.cases[1];
  EXPECT_EQ(NameOf(failed), "Sum.Carries");
  EXPECT_EQ(failed.file, "sum_test.cc");
  EXPECT_EQ(failed.line, 12U);  // where it failed, not where it begins
  EXPECT_THAT(failed.details, HasSubstr("1 & 2"));
  EXPECT_THAT(results.problems, IsEmpty());
}

TEST(JUnit, ReadsWhatPytestWrites) {
  const TestResults results = Read(R"(<testsuites><testsuite name="pytest" errors="1">
<testcase classname="tests.test_net" name="test_port[8080]" time="0.001"><failure
message="assert 1 == 2">def test_port(port):
&gt;       assert 1 == 2
E       assert 1 == 2

tests/test_net.py:5: AssertionError</failure></testcase>
<testcase classname="tests.test_net" name="test_up" time="0"><error message="failed on setup">x</error></testcase>
<testcase classname="tests.test_net" name="test_mac"><skipped message="only on macOS" /></testcase>
</testsuite></testsuites>)");
  ASSERT_EQ(results.cases.size(), 3U);
  EXPECT_EQ(results.cases[0].message, "assert 1 == 2");
  EXPECT_EQ(results.cases[0].file, "tests/test_net.py");
  EXPECT_EQ(results.cases[0].line, 5U);
  EXPECT_EQ(results.cases[1].outcome, TestOutcome::kError);
  EXPECT_EQ(results.cases[2].outcome, TestOutcome::kSkipped);
  EXPECT_EQ(results.cases[2].message, "only on macOS");
  EXPECT_EQ(results.totals.failed, 2U);
}

TEST(JUnit, NamesTestsByTheirSuiteWhenTheyHaveNoClass) {
  const TestResults results = Read(
      "<testsuite name='outer' file='a.js'><testsuite name='inner'><testcase name='x' line='3'/>"
      "</testsuite><testcase name='y' time='1,000.5'/></testsuite>");
  ASSERT_EQ(results.cases.size(), 2U);
  EXPECT_EQ(NameOf(results.cases[0]), "inner.x");
  EXPECT_EQ(results.cases[0].file, "a.js");
  EXPECT_EQ(results.cases[0].line, 3U);
  EXPECT_EQ(NameOf(results.cases[1]), "outer.y");
  EXPECT_EQ(results.cases[1].took, std::chrono::milliseconds(1'000'500));
}

TEST(JUnit, TakesTheFirstLineForAMessageWhereThereIsNone) {
  const TestResults results = Read(
      "<testsuite><testcase name='x'><failure>\n\n  boom\nmore</failure></testcase></testsuite>");
  EXPECT_EQ(results.cases[0].message, "boom");
}

struct Broken {
  std::string name;
  std::string content;
  std::string problem;
};
void PrintTo(const Broken& broken, std::ostream* out) {
  *out << broken.name;
}

class BrokenReport : public testing::TestWithParam<Broken> {};

TEST_P(BrokenReport, IsAProblemThatSaysWhere) {
  const TestResults results = Read(GetParam().content);
  EXPECT_THAT(results.problems, ElementsAre(HasSubstr(GetParam().problem)));
  EXPECT_EQ(results.totals.problems, 1U);
  EXPECT_THAT(results.problems[0], HasSubstr("out/report.xml"));
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenReport,
    testing::Values(Broken{"Empty", "", "holds nothing"}, Broken{"Text", "hello", "holds nothing"},
                    Broken{"Cut", "<testsuite>\n<testcase name='a'>\n", "is not XML: line"},
                    Broken{"WrongEnd", "<testsuite>\n\n</testcase>", "line 3"},
                    Broken{"OtherForm", "<assemblies/>", "begins with <assemblies>"}),
    [](const auto& each) { return each.param.name; });

TEST(JUnit, ExpandsNoEntities) {
  const TestResults results = Read(R"(<!DOCTYPE lolz [
 <!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY file SYSTEM "file:///etc/hostname">]>
<testsuite><testcase name="&b;"><failure message="&file;"/></testcase></testsuite>)");
  ASSERT_EQ(results.cases.size(), 1U);
  EXPECT_EQ(results.cases[0].name, "&b;");
  EXPECT_EQ(results.cases[0].message, "&file;");
}

TEST(JUnit, BoundsTheMemoryThatATreeTakes) {
  std::string many = "<testsuite>";
  while (many.size() < (31U << 20)) {
    many += "<a/>";
  }
  many += "</testsuite>";
  EXPECT_THAT(Read(std::move(many)).problems, ElementsAre(HasSubstr("would take more than")));
}

TEST(JUnit, BoundsTheDepth) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) {
    deep += "<testsuite>";
  }
  deep += "<testcase name='x'/>";
  for (int i = 0; i < 200'000; ++i) {
    deep += "</testsuite>";
  }
  const TestResults results = Read(std::move(deep));
  EXPECT_EQ(results.totals.tests, 0U);
  EXPECT_THAT(results.problems, ElementsAre(HasSubstr("nested deeper")));
}

TEST(JUnit, BoundsTheSize) {
  EXPECT_THAT(Read(std::string(kReportBytesMax + 1, ' ')).problems,
              ElementsAre(HasSubstr("the most are")));
}

TEST(JUnit, CutsLongTexts) {
  const TestResults results =
      Read("<testsuite><testcase name='" + std::string(5000, 'n') + "'><failure>" +
           std::string(100'000, 'd') + "</failure></testcase></testsuite>");
  EXPECT_LT(results.cases[0].name.size(), 1100U);
  EXPECT_LT(results.cases[0].details.size(), 17'000U);
}

TEST(Tidy, LeavesNothingThatIsNoUtf8) {
  EXPECT_EQ(Tidy("a\xFF\xC3\xA4\xED\xA0\x80", 100),
            "a\xEF\xBF\xBD\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Tidy("  \n", 10), "");
  EXPECT_EQ(Tidy("\xC3\xA4\xC3\xA4", 3), "\xC3\xA4\xE2\x80\xA6");
}

TEST(FindLocation, KnowsPathsFromTimesAndAddresses) {
  const auto at = [](std::string_view text) {
    const Location found = FindLocation(text);
    return found.file + "#" + std::to_string(found.line);
  };
  EXPECT_EQ(at("at 12:30:15, src/a.cc:42:7: error"), "src/a.cc#42");
  EXPECT_EQ(at("GET http://example.org:8080/x failed"), "#0");
  EXPECT_EQ(at("127.0.0.1:80 refused"), "#0");
  EXPECT_EQ(at("    at Object.<anonymous> (lib/sum.test.js:5:3)"), "lib/sum.test.js#5");
  EXPECT_EQ(at("a.cc:"), "#0");
  EXPECT_EQ(at(".hidden:3"), "#0");
}

}  // namespace
}  // namespace agents::reports
