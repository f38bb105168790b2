// SPDX-License-Identifier: Apache-2.0
#include "dsl/matrix.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

struct Case {
  std::string name;
  std::string matrix;
  std::vector<std::string> jobs;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class Matrix : public testing::TestWithParam<Case> {};

TEST_P(Matrix, MakesTheseCells) {
  const Compiled compiled =
      CompileText("jobs: { j: { matrix: " + GetParam().matrix + ", steps: [x] } }");
  ASSERT_NE(compiled.plan, nullptr) << testing::PrintToString(Brief(compiled.diagnostics));
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < compiled.plan->jobs.size(); ++i) {
    names.push_back(JobName(*compiled.plan, engine::model::JobIndex(i)));
  }
  EXPECT_EQ(names, GetParam().jobs);
  EXPECT_EQ(compiled.plan->specs[0].matrix->cell_count, names.size());
}

const Case kCases[] = {
    {"OneAxis", "{ a: [1, 2] }", {"j[1]", "j[2]"}},
    {"LastAxisFastest", "{ a: [1, 2], b: [x, y] }", {"j[1, x]", "j[1, y]", "j[2, x]", "j[2, y]"}},
    {"ExcludeOne",
     "{ a: [1, 2], b: [x, y], exclude: [{ a: 1, b: y }] }",
     {"j[1, x]", "j[2, x]", "j[2, y]"}},
    {"ExcludePartly", "{ a: [1, 2], b: [x, y], exclude: [{ a: 1 }] }", {"j[2, x]", "j[2, y]"}},
    {"ExcludeOverlapping", "{ a: [1, 2], b: [x, y], exclude: [{ a: 1 }, { b: x }] }", {"j[2, y]"}},
    {"ExcludeComparesNumbers", "{ a: [1, 2], exclude: [{ a: 1.0 }] }", {"j[2]"}},
    {"ExcludeDistinguishesText", "{ a: [1, 2], exclude: [{ a: '1' }] }", {"j[1]", "j[2]"}},
    {"ExcludeWithUnknownKeyMatchesNothing", "{ a: [1], exclude: [{ a: 1, z: 2 }] }", {"j[1]"}},
    {"IncludeOnly", "{ include: [{ a: 1 }, { b: x, a: 2 }] }", {"j[1]", "j[2, x]"}},
    // The example of GitHub's documentation, in our spelling.
    {"IncludeAsGitHubDoes",
     "{ fruit: [apple, pear], animal: [cat, dog], include: [{ color: green }, "
     "{ color: pink, animal: cat }, { fruit: apple, shape: circle }, { fruit: banana }, "
     "{ fruit: banana, animal: cat }] }",
     {"j[apple, cat, pink, circle]", "j[apple, dog, green, circle]", "j[pear, cat, pink]",
      "j[pear, dog, green]", "j[banana]", "j[banana, cat]"}},
    {"IncludeAfterExclude",
     "{ a: [1, 2], exclude: [{ a: 1 }], include: [{ a: 1, extra: yes }] }",
     {"j[2]", "j[1, yes]"}},
    {"AddedCellsAreNotMergedInto",
     "{ a: [1], include: [{ a: 2, x: p }, { a: 2, y: q }] }",
     {"j[1]", "j[2, p]", "j[2, q]"}},
    {"Structures",
     "{ a: [{ n: x, v: 1 }, [1, 2]], exclude: [{ a: [1, 2] }] }",
     {"j[{\"n\":\"x\",\"v\":1}]"}},
    {"NullAndBoolean", "{ a: [null, true, text] }", {"j[null]", "j[true]", "j[text]"}},
};
INSTANTIATE_TEST_SUITE_P(Cells, Matrix, testing::ValuesIn(kCases),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(MatrixLimits, AreNamedWithTheirValue) {
  std::string axis = "[0";
  for (int i = 1; i < 1000; ++i) {
    axis += fmt::format(", {}", i);
  }
  axis += "]";
  const Compiled compiled =
      CompileText("jobs: { j: { matrix: { a: " + axis + ", b: " + axis + " }, steps: [x] } }");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(compiled.diagnostics[0].code, "matrix-too-large");
  EXPECT_EQ(compiled.diagnostics[0].message,
            "the matrix has 1000000 cells; a run holds at most 100000 jobs");
}

TEST(MatrixLimits, CountAllJobsTogether) {
  const std::string jobs =
      "jobs:\n  a: { matrix: { x: [1, 2, 3] }, steps: [x] }\n  b: { steps: [x] }\n";
  EXPECT_NE(CompileText(jobs, {.jobs_max = 4}).plan, nullptr);
  const Compiled compiled = CompileText(jobs, {.jobs_max = 3});
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(Brief(compiled.diagnostics[0]), "too-many-jobs 3:3");
  EXPECT_EQ(compiled.diagnostics[0].message, "the pipeline has 4 jobs; a run holds at most 3");
}

TEST(MatrixSettings, AreKept) {
  const auto plan = PlanOf(
      "jobs: { j: { matrix: { a: [1, 2], max_parallel: 2, fail_fast: false }, steps: [x] } }");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->specs[0].matrix->max_parallel, 2U);
  EXPECT_FALSE(plan->specs[0].matrix->fail_fast);
  EXPECT_EQ(plan->specs[0].matrix->keys, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace dsl
