// SPDX-License-Identifier: Apache-2.0
// Each code of a diagnostic with the place it points at: `§` stands in the text where the
// diagnostic must begin.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/diagnostic_cases.h"

namespace dsl {

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

namespace {

class Diagnosing : public testing::TestWithParam<Case> {};

/// Takes the marks out; their places as `line:column`.
std::vector<std::string> TakeMarks(std::string& text) {
  std::vector<std::string> places;
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    text.erase(at, kMark.size());
    const auto before = text.begin() + static_cast<std::ptrdiff_t>(at);
    const auto line = 1 + std::count(text.begin(), before, '\n');
    const std::size_t start = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const std::size_t column = at - (start == std::string::npos ? 0 : start + 1) + 1;
    places.push_back(fmt::format("{}:{}", line, column));
  }
  return places;
}

TEST_P(Diagnosing, PointsAtThePlace) {
  const Case& c = GetParam();
  std::string text = c.text;
  std::string included = c.included;
  std::vector<std::string> places = TakeMarks(text);
  const std::string file = places.empty() ? "i.yml" : "p.yml";
  if (places.empty()) {
    places = TakeMarks(included);
  }
  MemorySourceLoader loader;
  loader.Add("p.yml", text);
  loader.Add("i.yml", included);
  const Compiled compiled = Compile("p.yml", loader);
  ASSERT_EQ(places.size(), 1U);
  // Other problems of the same text are named, too; the mark is the last one's.
  ASSERT_EQ(compiled.diagnostics.size(), c.codes.size())
      << testing::PrintToString(Brief(compiled.diagnostics));
  for (std::size_t i = 0; i < c.codes.size(); ++i) {
    EXPECT_EQ(compiled.diagnostics[i].code, c.codes[i]);
  }
  const Diagnostic& last = compiled.diagnostics.back();
  EXPECT_EQ(fmt::format("{}:{}", last.line, last.column), places[0]) << last.message;
  EXPECT_EQ(last.file, file);
  EXPECT_EQ(last.severity, c.severity);
  EXPECT_FALSE(last.message.empty());
  EXPECT_GE(last.end_column, last.column);
  EXPECT_EQ(compiled.plan == nullptr, c.severity == Severity::kError);
}

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(File, Diagnosing, testing::ValuesIn(FileCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Keys, Diagnosing, testing::ValuesIn(KeyCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Reuse, Diagnosing, testing::ValuesIn(ReuseCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Guarantees, Diagnosing, testing::ValuesIn(GuaranteeCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Triggers, Diagnosing, testing::ValuesIn(TriggerCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Inputs, Diagnosing, testing::ValuesIn(InputCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Order, Diagnosing, testing::ValuesIn(OrderCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Matrix, Diagnosing, testing::ValuesIn(MatrixCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Expressions, Diagnosing, testing::ValuesIn(ExpressionCases()), NameOf);

std::vector<const Case*> AllCases() {
  std::vector<const Case*> all;
  for (const auto cases : {FileCases(), KeyCases(), ReuseCases(), GuaranteeCases(), TriggerCases(),
                           InputCases(), OrderCases(), MatrixCases(), ExpressionCases()}) {
    for (const Case& c : cases) {
      all.push_back(&c);
    }
  }
  return all;
}

/// Codes whose tests stand elsewhere: they come of the file system, of limits, of what is given on
/// the command line.
const std::set<std::string> kTestedElsewhere = {
    "missing-file",      "not-a-file",         "file-too-large", "unreadable-file",
    "yaml-too-deep",     "alias-bomb",         "too-many-jobs",  "too-many-problems",
    "too-many-includes", "too-many-templates", "template-bomb",  "unknown-pool",
    "no-fitting-worker"};

/// The codes that stand in the sources: the only words of that form after the calls that report.
std::set<std::string> CodesInTheSources() {
  std::set<std::string> codes;
  const std::regex call(
      "(?:Error|Warning|FileError|Problem)\\(\\s*(?:plan, [^\"]*)?\"([a-z0-9-]+)\"|"
      "(?:return|code =|\\?|:)\\s+\"([a-z]+(?:-[a-z0-9]+)+)\";");
  for (const auto& entry : std::filesystem::directory_iterator(DAYFLY_SOURCE_DIR "/dsl")) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".cc") || path.ends_with("_test.cc")) {
      continue;
    }
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    for (std::sregex_iterator it(text.begin(), text.end(), call), end; it != end; ++it) {
      codes.insert((*it)[1].matched ? (*it)[1] : (*it)[2]);
    }
  }
  return codes;
}

TEST(DiagnosticCodes, InTheSourcesAreAllTested) {
  std::set<std::string> tested = kTestedElsewhere;
  for (const auto* c : AllCases()) {
    tested.insert(c->codes.begin(), c->codes.end());
  }
  for (const std::string& code : CodesInTheSources()) {
    EXPECT_TRUE(tested.contains(code)) << code << " has no row in the tables";
  }
  EXPECT_GT(CodesInTheSources().size(), 60U);
}

TEST(DiagnosticCodes, AreAllDocumentedAndTested) {
  std::set<std::string> tested = kTestedElsewhere;
  for (const auto* c : AllCases()) {
    tested.insert(c->codes.back());
  }
  std::ifstream file(DAYFLY_SOURCE_DIR "/docs/language.md");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t section = text.find("## Diagnostics");
  ASSERT_NE(section, std::string::npos);
  std::set<std::string> documented;
  const std::regex row("\n\\| `([a-z0-9-]+)` \\|");
  for (std::sregex_iterator
           it(text.begin() + static_cast<std::ptrdiff_t>(section), text.end(), row),
       end;
       it != end; ++it) {
    documented.insert((*it)[1]);
  }
  EXPECT_EQ(documented, tested);
}

TEST(Diagnostics, AreAllReportedAtOnce) {
  const Compiled compiled = CompileText(R"(nmae: twenty
on: { psuh: {} }
inputs:
  level: { type: text }
env: { 1A: x }
stages: [build, build, test]
jobs:
  compile:
    stage: biuld
    tiemout: 10m
    steps: []
  unit:
    stage: test
    needs: [compiel, { job: compile, on: sucess }]
    if: ${{ brnch == 'main' }}
    timeout: soon
    retry: { max: 1000 }
    allow_failure: yes
    matrix: { os: linux }
    steps:
      - rnu: make
      - run: echo ${{ inputs.levle }}
      - { id: x, run: "echo ${{ steps.y.outputs.z }}", workdir: /tmp }
  unit:
    stage: test
)");
  EXPECT_EQ(compiled.plan, nullptr);
  EXPECT_THAT(Brief(compiled.diagnostics),
              testing::ElementsAre("unknown-key 1:1", "unknown-key 2:7", "wrong-value 4:18",
                                   "bad-name 5:8", "empty-stage 6:10 (warning)",
                                   "duplicate-stage 6:17", "unknown-stage 9:12", "unknown-key 10:5",
                                   "empty-value 11:12", "unknown-need 14:13", "wrong-value 14:42",
                                   "unknown-context 15:13", "wrong-value 16:14",
                                   "out-of-range 17:19", "wrong-value 18:20", "wrong-type 19:19",
                                   "unknown-key 21:9", "unknown-input 22:23", "unknown-step 23:33",
                                   "bad-path 23:65", "duplicate-key 24:3", "missing-key 24:3"));
}

}  // namespace
}  // namespace dsl
