// SPDX-License-Identifier: Apache-2.0
#include "dsl/parse.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"
#include "dsl/tree_builder.h"
#include "dsl/values.h"

namespace dsl {
namespace {

using testing::ElementsAre;

/// The document as JSON, or what is wrong with it.
std::string Read(const std::string& text) {
  Reporter reporter(10);
  const auto document = Parse("f", text, 0, reporter);
  const std::vector<Diagnostic> diagnostics = reporter.Take();
  if (!diagnostics.empty()) {
    return Brief(diagnostics.front());
  }
  return document == nullptr ? "nothing" : JsonOf(NodeRef(*document, document->root));
}

TEST(Parse, FollowsTheCoreSchema) {
  const struct {
    const char* yaml;
    const char* json;
  } cases[] = {
      {"[true, True, TRUE, false]", "[true,true,true,false]"},
      {"[yes, no, on, off, y]", R"(["yes","no","on","off","y"])"},
      {"[~, null, Null, '']", R"([null,null,null,""])"},
      {"[1, -2, +3, 0x1F, 0o17, 010]", "[1,-2,3,31,15,10]"},
      {"[1.5, .5, 1., 1e3, 3.10]", "[1.5,0.5,1,1e3,3.10]"},
      {"['1', \"true\", 1.2.3, 1_000, 0b1, .inf]", R"(["1","true","1.2.3","1_000","0b1",".inf"])"},
      {"on: push", R"({"on":"push"})"},
      {"a: |\n  x\n  y\n", R"({"a":"x\ny\n"})"},
      {"a: !!str 5", R"({"a":"5"})"},
      {"{a: [], b: {}}", R"({"a":[],"b":{}})"},
      {"a: \"\\u00e4\\x01\"", "{\"a\":\"ä\\u0001\"}"},
      {"\xEF\xBB\xBF"
       "a: 1",
       R"({"a":1})"},
      {"%YAML 1.2\n---\na: 1\n...\n", R"({"a":1})"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Read(c.yaml), c.json) << c.yaml;
  }
}

TEST(Parse, SharesAnchors) {
  EXPECT_EQ(Read("a: &x [1, 2]\nb: *x\nc: { d: *x }"), R"({"a":[1,2],"b":[1,2],"c":{"d":[1,2]}})");
  EXPECT_EQ(Read("a: &x 1\nb: &x 2\nc: *x"), R"({"a":1,"b":2,"c":2})");
}

TEST(Parse, StopsAliasBombs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    text += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i,
                        i - 1);
  }
  EXPECT_EQ(Read(text), "alias-bomb 1:1");
}

TEST(Parse, StopsDeepAliases) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 1000; ++i) {
    text += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  }
  EXPECT_EQ(Read(text), "yaml-too-deep 129:7");
}

TEST(Parse, StopsDeepNesting) {
  for (const std::string_view opener : {"[", "{a: ", "- ", "? ", "[a, {b: "}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
      text += opener;
    }
    EXPECT_THAT(Read(text), testing::StartsWith("yaml-too-deep 1:")) << opener;
  }
}

TEST(Parse, TakesTheDeepestThatItPromises) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + "x" + std::string(depth, ']');
  };
  EXPECT_EQ(Read(nested(kDepthMax)),
            std::string(kDepthMax, '[') + "\"x\"" + std::string(kDepthMax, ']'));
  EXPECT_EQ(Read(nested(kDepthMax + 1)), "yaml-too-deep 1:65");
}

TEST(Parse, TakesHugeTexts) {
  const std::string line(1'000'000, 'x');
  EXPECT_EQ(Read("a: |\n  " + line + "\n  y"), "{\"a\":\"" + line + "\\ny\"}");
}

TEST(Parse, KeepsTheFirstOfDuplicates) {
  Reporter reporter(10);
  std::string text = "a: 0\n";
  for (int i = 0; i < 20; ++i) {
    text += fmt::format("k{}: {}\n", i, i);
  }
  const auto document = Parse("f", text + "k3: again\na: again\n", 0, reporter);
  const std::vector<Diagnostic> diagnostics = reporter.Take();
  EXPECT_THAT(Brief(diagnostics), ElementsAre("duplicate-key 22:1", "duplicate-key 23:1"));
  EXPECT_EQ(diagnostics[0].related.at(0).line, 5U);
  const NodeRef root(*document, document->root);
  EXPECT_EQ(root.entries(), 21U);
  EXPECT_EQ(root.value(0).text(), "0");
}

TEST(Parse, MergesKeysNearestFirst) {
  const engine::model::PlanRef plan = PlanOf(R"(
jobs:
  a: &a { timeout: 1m, priority: 1, env: { X: a }, steps: [x] }
  b: &b { <<: *a, priority: 2 }
  c: { <<: [*b, { priority: 3, queue_timeout: 3m }], timeout: 9m }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->specs[1].priority, 2);
  EXPECT_EQ(plan->specs[1].timeout, std::chrono::minutes(1));
  EXPECT_EQ(plan->specs[2].priority, 2);
  EXPECT_EQ(plan->specs[2].timeout, std::chrono::minutes(9));
  EXPECT_EQ(RareOf(plan->specs[2]).queue_timeout, std::chrono::minutes(3));
}

TEST(Parse, TellsWhereAnAliasIsUsed) {
  const Compiled compiled = CompileText(
      "env: &e { A: \"${{ brnch }}\" }\n"
      "jobs: { a: { env: *e, steps: [x] } }\n");
  // The same text is wrong in both places; it is told once where it is written alone, once through
  // the alias.
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(Brief(compiled.diagnostics[0]), "unknown-context 1:19");
  const Compiled only_used = CompileText(
      "jobs:\n  a: { steps: &s [{ run: x, if: matrix.x }], matrix: { x: [1] } }\n"
      "  b: { steps: *s }\n");
  ASSERT_EQ(only_used.diagnostics.size(), 1U);
  EXPECT_EQ(Brief(only_used.diagnostics[0]), "no-matrix 2:33");
  ASSERT_EQ(only_used.diagnostics[0].related.size(), 1U);
  EXPECT_EQ(only_used.diagnostics[0].related[0].message, "used here");
  EXPECT_EQ(only_used.diagnostics[0].related[0].line, 3U);
  EXPECT_EQ(only_used.diagnostics[0].related[0].column, 15U);
}

}  // namespace
}  // namespace dsl
