// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Given = std::vector<std::pair<std::string, std::string>>;

engine::model::PlanRef Pipeline() {
  return PlanOf(R"(inputs:
  level: { type: choice, options: [quick, full], default: quick }
  count: { type: number, default: 3.10 }
  fast: { type: boolean }
  name: { pattern: "[a-z]+", default: abc }
  who: { required: true, description: whom }
  empty:
jobs: { a: { steps: [x] } }
)");
}

std::vector<std::string> Resolve(const Given& given) {
  const auto plan = Pipeline();
  const ResolvedInputs resolved = ResolveInputs(*plan, given);
  std::vector<std::string> texts;
  if (const auto* problems = std::get_if<std::vector<Diagnostic>>(&resolved)) {
    for (const Diagnostic& problem : *problems) {
      texts.push_back(
          fmt::format("{} {}: {} {}", problem.code, problem.line, problem.message, problem.hint));
    }
    return texts;
  }
  for (const engine::model::NamedValue& value : std::get<0>(resolved)) {
    texts.push_back(value.name + "=" + value.value);
  }
  return texts;
}

TEST(ResolveInputs, FillsInDefaults) {
  EXPECT_THAT(Resolve({{"who", "me"}}), ElementsAre("level=\"quick\"", "count=3.10", "fast=false",
                                                    "name=\"abc\"", "who=\"me\"", "empty=\"\""));
}

TEST(ResolveInputs, TakesGivenValuesByType) {
  EXPECT_THAT(Resolve({{"who", "a\"b"},
                       {"level", "full"},
                       {"count", "-2.5e3"},
                       {"fast", "true"},
                       {"name", "x"}}),
              ElementsAre("level=\"full\"", "count=-2500", "fast=true", "name=\"x\"",
                          "who=\"a\\\"b\"", "empty=\"\""));
}

TEST(ResolveInputs, TakesTheLastOfRepeatedValues) {
  EXPECT_THAT(Resolve({{"who", "a"}, {"who", "b"}}), testing::Contains("who=\"b\""));
}

TEST(ResolveInputs, TellsAllThatIsWrong) {
  EXPECT_THAT(
      Resolve({{"levle", "x"},
               {"level", "ful"},
               {"count", "many"},
               {"fast", "yes"},
               {"name", "A"},
               {"count", "inf"}}),
      ElementsAre("unknown-input 0: the pipeline has no input `levle` did you mean 'level'?",
                  "bad-input 2: `level` takes one of quick, full, not `ful` did you mean 'full'?",
                  "bad-input 3: `count` takes a number, not `many` ",
                  "bad-input 4: `fast` takes true or false, not `yes` ",
                  "bad-input 5: `name` must match the pattern `[a-z]+`; `A` does not ",
                  "bad-input 3: `count` takes a number, not `inf` ",
                  HasSubstr("missing-input 6: the input `who` is required")));
}

}  // namespace
}  // namespace dsl
