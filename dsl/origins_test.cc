// SPDX-License-Identifier: Apache-2.0
#include "dsl/origins.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

using testing::HasSubstr;

Compiled Explained(const std::string& job) {
  MemorySourceLoader loader;
  loader.Add("p.yml", R"(include: lib.yml
env: { MODE: doc }
defaults: { timeout: 5m, env: { MODE: default, D: d } }
jobs:
  unit:
    extends: { template: suite, with: { name: core } }
    env: { MODE: job }
    queue_timeout: null
)");
  loader.Add("lib.yml", R"(templates:
  base: { retry: { max: 2 } }
  suite:
    extends: base
    inputs: { name: {} }
    steps:
      - run: |
          make ${{ inputs.name }}
          make more
)");
  CompileOptions options;
  options.explain_job = job;
  return Compile("p.yml", loader, options);
}

TEST(Origins, NameThePlaceAndTheWay) {
  const Compiled compiled = Explained("unit");
  ASSERT_NE(compiled.plan, nullptr) << testing::PrintToString(Brief(compiled.diagnostics));
  const std::string text = RenderOrigins("unit", compiled.origins);
  const auto has = [&](const std::string& line) {
    EXPECT_THAT(text, testing::ContainsRegex(line));
  };
  has("^unit\n");
  has("  env\\.MODE +doc +p\\.yml:2:14 \\(document\\)\n");
  has("  env\\.MODE +default +p\\.yml:3:39 \\(defaults\\)\n");
  has("  env\\.MODE +job +p\\.yml:7:18\n");
  has("  timeout +5m +p\\.yml:3:22 \\(defaults\\)\n");
  has("  retry\\.max +2 +lib\\.yml:2:26, extended here lib\\.yml:4:14, extended here "
      "p\\.yml:6:26\n");
  has("  steps\\[0\\]\\.run +make core … +lib\\.yml:7:14, extended here p\\.yml:6:26\n");
  has("  priority +0 +the language's default\n");
}

TEST(Origins, AreJsonForPrograms) {
  const std::string json = RenderOriginsJson("unit", Explained("unit").origins);
  EXPECT_THAT(json,
              testing::StartsWith(R"({"job":"unit","values":[{"key":"env.MODE","value":"doc",)"
                                  R"("layer":"document","file":"p.yml","line":2,"column":14,)"
                                  R"("way":[]})"));
  EXPECT_THAT(json, HasSubstr(R"({"key":"retry.max","value":"2","layer":"job","file":"lib.yml",)"
                              R"("line":2,"column":26,"way":[{"message":"extended here",)"
                              R"("file":"lib.yml","line":4,"column":14},)"));
  EXPECT_EQ(json.find('\n'), json.size() - 1);
}

TEST(Origins, AreEmptyWithoutAJob) {
  EXPECT_TRUE(Explained("").origins.empty());
  EXPECT_TRUE(Explained("nobody").origins.empty());
}

}  // namespace
}  // namespace dsl
