// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/schedule.h"

#include <gtest/gtest.h>

namespace bench::driver {
namespace {

/// Three short jobs in front of one long: the order decides.
const std::vector<SleepJob> kLongLast = {
    {.name = "a", .seconds = 1}, {.name = "b", .seconds = 1}, {.name = "c", .seconds = 3}};

TEST(Makespan, DependsOnTheOrder) {
  EXPECT_DOUBLE_EQ(Makespan(kLongLast, 2, Order::kFirstReady), 4);
  EXPECT_DOUBLE_EQ(Makespan(kLongLast, 2, Order::kLongestPathFirst), 3);
}

TEST(Makespan, FollowsNeeds) {
  const std::vector<SleepJob> jobs = {{.name = "a", .seconds = 1},
                                      {.name = "b", .seconds = 2, .needs = {0}},
                                      {.name = "c", .seconds = 0, .needs = {0, 1}},
                                      {.name = "d", .seconds = 1, .needs = {2}}};
  EXPECT_DOUBLE_EQ(Makespan(jobs, 4, Order::kLongestPathFirst), 4);
  EXPECT_DOUBLE_EQ(LowerBound(jobs, 4), 4);
}

TEST(Makespan, PrefersTheLongestPathOverTheLongestJob) {
  // `a` is short but the whole chain hangs on it.
  const std::vector<SleepJob> jobs = {{.name = "x", .seconds = 2},
                                      {.name = "a", .seconds = 1},
                                      {.name = "b", .seconds = 3, .needs = {1}}};
  EXPECT_DOUBLE_EQ(Makespan(jobs, 1, Order::kLongestPathFirst), 6);
  EXPECT_DOUBLE_EQ(Makespan(jobs, 2, Order::kLongestPathFirst), 4);
}

TEST(LowerBound, IsTheWorkWhenPathsAreShort) {
  EXPECT_DOUBLE_EQ(LowerBound(kLongLast, 1), 5);
  EXPECT_DOUBLE_EQ(LowerBound(kLongLast, 16), 3);
  EXPECT_DOUBLE_EQ(LowerBound({}, 2), 0);
}

}  // namespace
}  // namespace bench::driver
