// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/statistics.h"

#include <gtest/gtest.h>

namespace bench::driver {
namespace {

TEST(Median, IsTheMiddleWhateverTheOrder) {
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(Median({3, 100, 1}), 3);
  EXPECT_EQ(Median({4, 1, 2, 100}), 3);
}

TEST(Spread, IsNothingForFewAndIgnoresOneOutlier) {
  EXPECT_EQ(Spread({1, 2, 3}), 0);
  EXPECT_DOUBLE_EQ(Spread({10, 10, 10, 10, 10, 10, 10, 1000}), 0);
}

}  // namespace
}  // namespace bench::driver
