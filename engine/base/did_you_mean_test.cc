// SPDX-License-Identifier: Apache-2.0
#include "engine/base/did_you_mean.h"

#include <vector>

#include <gtest/gtest.h>

namespace engine::base {
namespace {

TEST(EditDistance, CountsSwapsAsOne) {
  EXPECT_EQ(EditDistance("", "", 9), 0U);
  EXPECT_EQ(EditDistance("abc", "", 9), 3U);
  EXPECT_EQ(EditDistance("matrix", "martix", 9), 1U);
  EXPECT_EQ(EditDistance("kitten", "sitting", 9), 3U);
  EXPECT_EQ(EditDistance("Stage", "sTAGE", 9), 0U);
}

TEST(EditDistance, StopsAtTheLimit) {
  EXPECT_EQ(EditDistance("kitten", "sitting", 2), 3U);
  EXPECT_EQ(EditDistance("aaaaaaaa", "bbbbbbbb", 2), 3U);
  EXPECT_EQ(EditDistance(std::string(65, 'a'), std::string(65, 'a'), 2), 3U);
}

TEST(EditDistance, IsTheSameBothWays) {
  const std::vector<std::string> words{"ab", "ba", "abcd", "badc", "needs", "need", "ned", "x", ""};
  for (const auto& a : words) {
    for (const auto& b : words) {
      EXPECT_EQ(EditDistance(a, b, 9), EditDistance(b, a, 9)) << a << " " << b;
    }
  }
}

TEST(DidYouMean, NamesTheNearest) {
  const std::vector<std::string_view> keys{"needs", "stage", "steps", "timeout"};
  EXPECT_EQ(DidYouMean("nedes", keys), "did you mean 'needs'?");
  EXPECT_EQ(DidYouMean("step", keys), "did you mean 'steps'?");
  EXPECT_EQ(DidYouMean("time_out", keys), "did you mean 'timeout'?");
}

TEST(DidYouMean, KeepsQuietWhenNothingIsNear) {
  const std::vector<std::string_view> keys{"needs", "stage"};
  EXPECT_EQ(DidYouMean("services", keys), "");
  EXPECT_EQ(DidYouMean("", keys), "");
  EXPECT_EQ(NearestOf("x", std::span<const std::string_view>()), std::nullopt);
}

TEST(NearestOf, PrefersTheFirstOfEquals) {
  const std::vector<std::string> candidates{"ax", "bx"};
  EXPECT_EQ(NearestOf("cx", candidates), "ax");
}

}  // namespace
}  // namespace engine::base
