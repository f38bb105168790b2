// SPDX-License-Identifier: Apache-2.0
#include "apps/view/log_text.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps::view {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Shown(const std::vector<std::string>& lines) {
  LogText text;
  std::vector<std::string> shown;
  for (const std::string& line : lines) {
    text.Show(line, [&](std::string_view each) { shown.emplace_back(each); });
  }
  return shown;
}

TEST(LogText, LeavesTextAlone) {
  EXPECT_THAT(Shown({"a", "", " ::error::x", "::debug::x", "\x1b[31mred\x1b[0m"}),
              ElementsAre("a", "", " ::error::x", "::debug::x", "red"));
}

TEST(LogText, MovesTheLinesOfAGroupIn) {
  EXPECT_THAT(Shown({"a", "::group::Outer", "b", "::group::In\x1b[1mner\r", "c",
                     "::endgroup::", "d", "::endgroup::\r", "e", "::endgroup::", "f"}),
              ElementsAre("a", "▾ Outer", "  b", "  ▾ Inner", "    c", "  d", "e", "f"));
}

TEST(LogText, GoesInNoFurtherThanSomeSteps) {
  std::vector<std::string> lines(100, "::group::g");
  lines.emplace_back("x");
  EXPECT_EQ(Shown(lines).back(), std::string(2 * LogText::kDepthMax, ' ') + "x");
}

TEST(LogText, TellsAnnotationsInWords) {
  EXPECT_THAT(Shown({"::error file=a.c,line=3,col=7::boom", "::warning title=Lint::old",
                     "::group::g", "::notice file=b::x"}),
              ElementsAre("error: boom (a.c:3:7)", "warning: Lint: old", "▾ g", "  notice: x (b)"));
  EXPECT_THAT(Shown({"::error::\x1b]0;title\x07safe"}), ElementsAre("error: safe"));
}

// Undone, an escape would show a secret of which only a part was escaped: it was not found before.
TEST(LogText, LeavesEscapesAsTheyAreWritten) {
  EXPECT_THAT(Shown({"::error title=pa%ss%2Cword::two%0Alines", "::group::100%25"}),
              ElementsAre("error: pa%ss%2Cword: two%0Alines", "▾ 100%25"));
}

TEST(LogText, EndsOfGroupsLeaveNothing) {
  EXPECT_THAT(Shown({"::endgroup::"}), IsEmpty());
}

}  // namespace
}  // namespace apps::view
