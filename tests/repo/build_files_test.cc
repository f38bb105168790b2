// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/build_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tests::repo {
namespace {

using ::testing::HasSubstr;

TEST(CheckSourcesAreBuilt, FindsWhatNobodyNames) {
  Tree tree{{{"a/CMakeLists.txt", "dayfly_library(\n  NAME a\n  SOURCES x.cc deep/y.cc)"},
             {"a/deep/y.cc", ""},
             {"a/extra.cmake", "add_executable(z z.cc)"},
             {"a/max.cc", ""},
             {"a/x.cc", ""},
             {"a/z.cc", ""}}};
  EXPECT_EQ(ToText(CheckSourcesAreBuilt(tree)), "a/max.cc: no CMakeLists.txt names it\n");
}

TEST(CheckLibraryNames, WantTheFoldersPath) {
  EXPECT_EQ(ToText(CheckLibraryNames({{{"a/b/CMakeLists.txt", "dayfly_library(NAME a_b)"}}})), "");
  EXPECT_THAT(ToText(CheckLibraryNames({{{"a/b/CMakeLists.txt", "dayfly_library(\n NAME b)"}}})),
              HasSubstr("a_b, not b"));
}

}  // namespace
}  // namespace tests::repo
