// SPDX-License-Identifier: Apache-2.0
#include "dsl/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

TEST(RenderText, UnderlinesThePlace) {
  const Compiled compiled = CompileText(
      "name: ü\njobs:\n  build: { steps: [x] }\n  test: { env: { Ä: 1 }, needs: [biuld], steps: "
      "[x] "
      "}\n  build: 1\n");
  EXPECT_EQ(RenderText(compiled.diagnostics),
            R"(p.yml:4:18: error[bad-name]: `Ä` is no name for `env`
    4 |   test: { env: { Ä: 1 }, needs: [biuld], steps: [x] }
      |                  ^
      = hint: a name has letters, digits and `_`, and begins with no digit
p.yml:4:34: error[unknown-need]: there is no job `biuld`
    4 |   test: { env: { Ä: 1 }, needs: [biuld], steps: [x] }
      |                                  ^~~~~
      = hint: did you mean 'build'?
p.yml:5:3: error[duplicate-key]: the key `build` is given twice
    5 |   build: 1
      |   ^~~~~
      = p.yml:3:3: first given here
p.yml:5:10: error[wrong-type]: the job `build` is a map, not a single value
    5 |   build: 1
      |          ^
      = hint: write `build: { steps: [make] }`
4 errors, 0 warnings
)");
}

TEST(RenderText, SaysNothingAboutNothing) {
  EXPECT_EQ(RenderText(std::vector<Diagnostic>()), "");
}

TEST(RenderText, LeavesThePlaceOutWhereThereIsNone) {
  Diagnostic diagnostic;
  diagnostic.code = "missing-file";
  diagnostic.message = "there is no such file";
  diagnostic.file = "x.yml";
  EXPECT_EQ(RenderText(diagnostic), "x.yml: error[missing-file]: there is no such file\n");
}

TEST(RenderText, PaintsOnRequestOnly) {
  const Compiled compiled = CompileText("jobs: []");
  EXPECT_EQ(RenderText(compiled.diagnostics).find('\x1b'), std::string::npos);
  EXPECT_NE(RenderText(compiled.diagnostics, true).find("\x1b[1;31merror[wrong-type]\x1b[0m"),
            std::string::npos);
}

TEST(RenderJson, IsOneLineWithTheseKeys) {
  const Compiled compiled = CompileText("jobs: { a: { steps: [x] }, a: { steps: [\"y\"] } }");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(RenderJson(compiled.diagnostics[0]),
            R"({"code":"duplicate-key","severity":"error","message":"the key `a` is given twice",)"
            R"("file":"p.yml","line":1,"column":28,"end_line":1,"end_column":29,"hint":"",)"
            R"("related":[{"message":"first given here","file":"p.yml","line":1,"column":9}]})");
}

TEST(RenderJson, IsUtf8WhateverTheFileHolds) {
  const Compiled compiled = CompileText("jobs: \xE9");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  Diagnostic diagnostic = compiled.diagnostics[0];
  diagnostic.message = "\xE9";
  EXPECT_THAT(RenderJson(diagnostic), testing::HasSubstr("\xEF\xBF\xBD"));
}

}  // namespace
}  // namespace dsl
