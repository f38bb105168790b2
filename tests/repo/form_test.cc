// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tests::repo {
namespace {

using ::testing::HasSubstr;

Tree One(std::string path, std::string text) {
  return {{{std::move(path), std::move(text)}}};
}

TEST(CheckLicenceLines, WantsItFirstOrAfterTheInterpreter) {
  EXPECT_EQ(ToText(CheckLicenceLines(One("a/x.h", "// SPDX-License-Identifier: Apache-2.0\n"))),
            "");
  EXPECT_EQ(ToText(CheckLicenceLines(
                One("scripts/x", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"))),
            "");
  EXPECT_THAT(ToText(CheckLicenceLines(One("a/x.h", "#pragma once\n"))), HasSubstr("a/x.h:1"));
  EXPECT_THAT(ToText(CheckLicenceLines(One("scripts/x", "#!/bin/sh\nset -e"))), HasSubstr(":2"));
}

TEST(CheckTodos, WantAnIssue) {
  EXPECT_EQ(ToText(CheckTodos(One("a/x.cc", "// TODO(#12): say why"))), "");
  EXPECT_NE(ToText(CheckTodos(One("a/x.cc", "// TODO: say why"))), "");
  EXPECT_NE(ToText(CheckTodos(One("a/x.cc", "// TODO(sam): why"))), "");
  EXPECT_NE(ToText(CheckTodos(One("a/x.cc", "// TODO(#12): one, TODO two"))), "");
  EXPECT_NE(ToText(CheckTodos(One("a/x.cc", "// FIXME(#12): why"))), "");
  EXPECT_NE(ToText(CheckTodos(One("a/x.cc", "// FIXME"))), "");
}

TEST(CheckLengths, ListsLongFilesAndRefusesHugeOnes) {
  const auto lines = [](std::size_t count) { return std::string(count, '\n'); };
  Findings listed;
  EXPECT_EQ(ToText(CheckLengths(One("a/x.cc", lines(600)), &listed)), "");
  EXPECT_TRUE(listed.empty());
  EXPECT_EQ(ToText(CheckLengths(One("a/x.cc", lines(601)), &listed)), "");
  EXPECT_EQ(listed.size(), 1U);
  EXPECT_THAT(ToText(CheckLengths(One("a/x.cc", lines(1001)), &listed)), HasSubstr("1001 lines"));
}

TEST(CheckMachinePaths, SeesPersonalFolders) {
  EXPECT_NE(ToText(CheckMachinePaths(One("a.md", "see /home/sam/x"))), "");
  EXPECT_NE(ToText(CheckMachinePaths(One("a.cc", "\"/root/x\""))), "");
  EXPECT_EQ(ToText(CheckMachinePaths(One("a.md", "$XDG/home/x, a/work/x, /usr/lib/x"))), "");
}

TEST(CheckLinks, LeadSomewhere) {
  Tree tree = One("docs/a.md", "[x](../README.md) [y](b/c.md#part) [z](https://example.org/q)");
  tree.files.push_back({"README.md", ""});
  EXPECT_EQ(ToText(CheckLinks(tree)), "docs/a.md:1: nothing is at docs/b/c.md\n");
  tree.files.push_back({"docs/b/c.md", ""});
  EXPECT_EQ(ToText(CheckLinks(tree)), "");
}

TEST(CheckNames, WantLowerSnakeAndPragmaOnce) {
  EXPECT_EQ(ToText(CheckNames(One("a/b_c.h", "#pragma once"))), "");
  EXPECT_THAT(ToText(CheckNames(One("a/BigName.cc", ""))), HasSubstr("lower_snake"));
  EXPECT_THAT(ToText(CheckNames(One("a/b.h", ""))), HasSubstr("pragma once"));
}

}  // namespace
}  // namespace tests::repo
