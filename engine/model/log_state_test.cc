// SPDX-License-Identifier: Apache-2.0
#include "engine/model/log_state.h"

#include <gtest/gtest.h>

namespace engine::model {
namespace {

TEST(LogEnd, IsCompleteOnlyWithEveryByte) {
  EXPECT_TRUE(IsComplete({.length = 10}));
  EXPECT_TRUE(IsComplete({.length = 10, .truncated = true}));
  EXPECT_FALSE(IsComplete({.length = 10, .lost = {{8, 10}}}));
  EXPECT_FALSE(IsComplete({.length = 10, .cut = true}));
  EXPECT_FALSE(IsComplete({.length = 10, .damaged = true}));
}

TEST(LogEnd, KeepsWhatStandsBeforeTheLoss) {
  EXPECT_EQ(KeptLength({.length = 10}), 10u);
  EXPECT_EQ(KeptLength({.length = 10, .lost = {{4, 7}, {7, 10}}}), 4u);
}

struct EndCase {
  const char* name;
  LogEnd end;
  bool is_right;
};

TEST(LogEnd, MayOnlyLoseItsEnd) {
  const EndCase cases[] = {
      {"empty log", {}, true},
      {"nothing lost", {.length = 10}, true},
      {"all lost", {.length = 10, .lost = {{0, 10}}}, true},
      {"two ranges that touch", {.length = 10, .lost = {{4, 6}, {6, 10}}}, true},
      {"empty range", {.length = 10, .lost = {{10, 10}}}, false},
      {"backwards", {.length = 10, .lost = {{9, 4}}}, false},
      {"beyond the log", {.length = 10, .lost = {{4, 11}}}, false},
      {"in the middle", {.length = 10, .lost = {{4, 6}}}, false},
      {"out of order", {.length = 10, .lost = {{6, 10}, {4, 6}}}, false},
      {"apart", {.length = 10, .lost = {{2, 4}, {6, 10}}}, false},
  };
  for (const EndCase& c : cases) {
    EXPECT_EQ(CheckEnd(c.end).ok(), c.is_right) << c.name;
  }
}

}  // namespace
}  // namespace engine::model
