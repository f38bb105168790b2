// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/words.h"

#include <gtest/gtest.h>

namespace tests::repo {
namespace {

constexpr std::string_view kGlossary =
    "| word | is | not called |\n"
    "|---|---|---|\n"
    "| pipeline | the definition | `workflow`, `recipe` |\n"
    "| run | one execution | |\n";

std::string Check(std::string path, std::string text) {
  return ToText(CheckWords({{{std::move(path), std::move(text)}}}, ParseGlossary(kGlossary)));
}

TEST(ParseGlossary, TakesTheQuotedTwinsOfTheLastColumn) {
  const BannedWords banned = ParseGlossary(kGlossary);
  ASSERT_EQ(banned.size(), 2U);
  EXPECT_EQ(banned.at("workflow"), "pipeline");
  EXPECT_EQ(banned.at("recipe"), "pipeline");
}

TEST(CheckWords, FindsTwinsInNamesCommentsAndDocuments) {
  EXPECT_EQ(Check("a/x.cc", "int workflow_count;"), "a/x.cc:1: say `pipeline`, not `workflow`\n");
  EXPECT_EQ(Check("a/x.h", "\nclass RecipeList;"), "a/x.h:2: say `pipeline`, not `recipe`\n");
  EXPECT_EQ(Check("docs/y.md", "Two Workflows."), "docs/y.md:1: say `pipeline`, not `workflows`\n");
  EXPECT_EQ(Check("a/x.cc", "int pipeline_count, networkflow;"), "");
}

TEST(CheckWords, AllowsAPhraseOnlyWhereItIsRight) {
  EXPECT_EQ(Check("README.md", "a workflow engine"), "");
  EXPECT_NE(Check("README.md", "a workflow"), "");
  EXPECT_NE(Check("docs/x.md", "a workflow engine"), "");
}

}  // namespace
}  // namespace tests::repo
