// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tests::repo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kTable =
    "text\n"
    "| folder | is | may include | third parties |\n"
    "|---|---|---|---|\n"
    "| `a/base` | x | nothing | absl, openssl |\n"
    "| `a/{one,two}` | y | `a/base` | |\n"
    "| `top` | z | anything | anything |\n"
    "\n"
    "| `a/late` | not in the table | nothing | |\n";

std::string Check(std::string path, std::string text) {
  return ToText(CheckLayers({{{std::move(path), std::move(text)}}}, ParseLayers(kTable)));
}

TEST(ParseLayers, ReadsRowsBracesAndEmptyCells) {
  const Layers layers = ParseLayers(kTable);
  ASSERT_EQ(layers.size(), 4U);
  EXPECT_THAT(layers.at("a/base").third_parties, ElementsAre("absl", "openssl"));
  EXPECT_THAT(layers.at("a/two").may_include, ElementsAre("a/base"));
  EXPECT_TRUE(layers.at("top").any_of_ours);
  EXPECT_FALSE(layers.at("a/one").any_third_party);
}

TEST(LayerOf, TakesTheLongestFolder) {
  const Layers layers = ParseLayers(kTable);
  EXPECT_EQ(LayerOf(layers, "a/one/deep/er/x.h"), "a/one");
  EXPECT_EQ(LayerOf(layers, "a/onemore/x.h"), std::nullopt);
}

TEST(CheckLayers, RefusesWhatTheRowDoesNotAllow) {
  EXPECT_EQ(Check("a/one/x.cc", "#include \"a/base/y.h\"\n#include \"a/one/z.h\"\n#include <map>"),
            "");
  EXPECT_THAT(Check("a/one/x.cc", "#include \"a/two/y.h\""),
              HasSubstr("a/one/x.cc:1: a/one may not"));
  EXPECT_THAT(Check("a/one/x.cc", "#include \"y.h\""), HasSubstr("from the top"));
  EXPECT_THAT(Check("b/x.cc", ""), HasSubstr("no row"));
}

TEST(CheckLayers, KeepsThirdPartiesInTheirFolders) {
  EXPECT_EQ(Check("a/base/x.cc", "#include <absl/status/status.h>"), "");
  EXPECT_EQ(Check("a/one/x.cc", "#include <fmt/format.h>\n#include <sys/wait.h>"), "");
  EXPECT_THAT(Check("a/one/x.cc", "#include <sqlite3.h>"), HasSubstr("may not include sqlite"));
  EXPECT_THAT(Check("a/one/x.cc", "#include <leveldb/db.h>"), HasSubstr("no third party known"));
  EXPECT_THAT(Check("a/one/x.cc", "#include <gtest/gtest.h>"), HasSubstr("may not include gtest"));
  EXPECT_EQ(Check("a/one/x_test.cc", "#include <gtest/gtest.h>"), "");
}

TEST(CheckLayers, LetsHeadersThatOnlyTestsIncludeUseGtest) {
  Tree tree{{{"a/one/cases.h", "#include <gtest/gtest.h>"},
             {"a/one/fixture.h", "#include \"a/one/cases.h\""},
             {"a/one/x_test.cc", "#include \"a/one/fixture.h\""}}};
  EXPECT_EQ(ToText(CheckLayers(tree, ParseLayers(kTable))), "");
  tree.files.push_back({"a/one/y_test.cc", "#include \"top/real_part.h\""});
  EXPECT_EQ(ToText(CheckLayers(tree, ParseLayers(kTable))), "");
  tree.files.push_back({"a/one/x.cc", "#include \"a/one/fixture.h\""});
  EXPECT_THAT(ToText(CheckLayers(tree, ParseLayers(kTable))), HasSubstr("a/one/cases.h:1"));
}

TEST(CheckCycles, NamesThePath) {
  EXPECT_EQ(ToText(CheckCycles(ParseLayers(kTable))), "");
  Layers layers;
  layers["a"].may_include = {"b"};
  layers["b"].may_include = {"c"};
  layers["c"].may_include = {"a"};
  EXPECT_THAT(ToText(CheckCycles(layers)), HasSubstr("cycle: a -> b -> c -> a"));
}

}  // namespace
}  // namespace tests::repo
