// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/code_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tests::repo {
namespace {

using ::testing::ElementsAre;

TEST(BlankCommentsAndLiterals, KeepsCodeAndLineLengths) {
  EXPECT_EQ(BlankCommentsAndLiterals("a; // b\nc"), "a;     \nc");
  EXPECT_EQ(BlankCommentsAndLiterals("a /* b\nc */ d"), "a     \n     d");
  EXPECT_EQ(BlankCommentsAndLiterals("f(\"x // \\\" y\", z)"),
            "f(" + std::string(11, ' ') + ", z)");
}

TEST(BlankCommentsAndLiterals, KnowsCharactersRawStringsAndDigitSeparators) {
  EXPECT_EQ(BlankCommentsAndLiterals("x = '\"'; y"), "x =    ; y");
  EXPECT_EQ(BlankCommentsAndLiterals("100'000 + b"), "100'000 + b");
  EXPECT_EQ(BlankCommentsAndLiterals("g(R\"(a \" ) b)\") + h"),
            "g(" + std::string(12, ' ') + ") + h");
}

TEST(IncludesOf, TellsOursFromOthers) {
  const auto includes =
      IncludesOf("#include <map>\n\n#include \"engine/base/id.h\"\n// #include <x>");
  ASSERT_EQ(includes.size(), 2U);
  EXPECT_EQ(includes[0].path, "map");
  EXPECT_FALSE(includes[0].ours);
  EXPECT_EQ(includes[1].path, "engine/base/id.h");
  EXPECT_TRUE(includes[1].ours);
  EXPECT_EQ(includes[1].line, 3U);
}

TEST(WordsOf, SplitsCamelAndSnakeCase) {
  EXPECT_THAT(WordsOf("NodeRunner x_flow2go HTTPServer"),
              ElementsAre("node", "runner", "x", "flow", "go", "httpserver"));
}

}  // namespace
}  // namespace tests::repo
