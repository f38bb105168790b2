// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/glob.h"

#include <gtest/gtest.h>

namespace store::artifacts {
namespace {

TEST(Glob, MatchesAsDocumented) {
  const struct {
    const char* pattern;
    const char* path;
    bool matches;
  } cases[] = {
      {"a", "a", true},
      {"a", "b", false},
      {"*.o", "x.o", true},
      {"*.o", "d/x.o", false},
      {"d/*.o", "d/x.o", true},
      {"*", ".hidden", true},
      {"?", "ab", false},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"**/*.o", "x.o", true},
      {"**/*.o", "a/b/x.o", true},
      {"**/*.o", "a/b/x.c", false},
      {"a/**", "a/b/c", true},
      {"a/**", "a", true},
      {"a/**/z", "a/z", true},
      {"a/**/z", "a/b/c/z", true},
      {"a/**/z", "b/z", false},
      {"**/b/**/d", "a/b/c/b/x/d", true},
      {"*a*b*c", "xxaxxbxxbc", true},
      {"*a*b*c", "xxaxxbxxcb", false},
      {"build-*/test_*.xml", "build-x/test_1.xml", true},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(GlobMatches(each.pattern, each.path), each.matches)
        << each.pattern << " and " << each.path;
  }
}

TEST(Glob, StaysFastOnHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(4000, 'a')));
  std::string parts;
  std::string path = "x";
  for (int i = 0; i < 200; ++i) {
    parts += "**/a/";
    path += "/a";
  }
  EXPECT_FALSE(GlobMatches(parts + "b", path));
}

TEST(PathPatterns, RefusesWhatLeavesTheWorkspace) {
  for (const char* bad : {"/etc", "../x", "a/../b", "", "!", "!/x", "a/.."}) {
    EXPECT_FALSE(PathPatterns::Make({bad}).ok()) << bad;
  }
}

TEST(PathPatterns, TheLastMatchDecides) {
  const auto patterns = PathPatterns::Make({"./build/", "!**/*.o", "build/keep.o", "dist//*.js"});
  ASSERT_TRUE(patterns.ok());
  EXPECT_TRUE(patterns->Includes("build/a/b"));
  EXPECT_FALSE(patterns->Includes("build/a/b.o"));
  EXPECT_TRUE(patterns->Includes("build/keep.o"));
  EXPECT_TRUE(patterns->Includes("dist/x.js"));
  EXPECT_FALSE(patterns->Includes("dist/x.css"));
  EXPECT_FALSE(patterns->Includes("builder"));
}

TEST(PathPatterns, KnowsWhereToStartLooking) {
  const auto patterns = PathPatterns::Make({"a/b/*.o", "a/b", "**/x", "."});
  ASSERT_TRUE(patterns.ok());
  EXPECT_EQ(patterns->all()[0].prefix, "a/b");
  EXPECT_EQ(patterns->all()[1].prefix, "a/b");
  EXPECT_TRUE(patterns->all()[1].is_literal);
  EXPECT_EQ(patterns->all()[2].prefix, "");
  EXPECT_EQ(patterns->all()[3].glob, "");
}

}  // namespace
}  // namespace store::artifacts
