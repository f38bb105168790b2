// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/ahead.h"

#include <vector>

#include <gtest/gtest.h>

namespace engine::placement {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(AheadDepth, FillsAboutOneRoundTrip) {
  EXPECT_EQ(AheadDepth(milliseconds(3)), 6U);
  EXPECT_EQ(AheadDepth(milliseconds(5)), 4U);
  EXPECT_EQ(AheadDepth(milliseconds(20)), 1U);
}

TEST(AheadDepth, GivesNothingAheadOfLongJobs) {
  EXPECT_EQ(AheadDepth(microseconds(20'001)), 0U);
  EXPECT_EQ(AheadDepth(std::chrono::hours(1)), 0U);
}

TEST(AheadDepth, IsBoundedForJobsThatTakeNothing) {
  EXPECT_EQ(AheadDepth(base::Duration(0)), kAheadMax);
}

TEST(AheadDepth, IsOneWhileNothingIsKnown) {
  EXPECT_EQ(AheadDepth(ExpectedDuration(base::Duration(0), {})), 1U);
}

TEST(ExpectedDuration, TakesTheLongerOfKnownAndRecent) {
  const std::vector<base::Duration> recent = {milliseconds(1), milliseconds(3)};
  EXPECT_EQ(ExpectedDuration(milliseconds(1), recent), milliseconds(2));
  EXPECT_EQ(ExpectedDuration(milliseconds(5), recent), milliseconds(5));
  EXPECT_EQ(ExpectedDuration(milliseconds(5), {}), milliseconds(5));
}

}  // namespace
}  // namespace engine::placement
