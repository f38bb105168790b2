// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/worker_choice.h"

#include <gtest/gtest.h>

namespace engine::placement {
namespace {

TEST(WorkerChoice, AFreeSlotGoesBeforeWorkAhead) {
  const WorkerLoad big_and_full{.assigned = 16, .slots = 16, .ahead_max = 8};
  const WorkerLoad small_and_free{.assigned = 1, .slots = 2, .ahead_max = 0};
  EXPECT_TRUE(LessLoaded(small_and_free, big_and_full));
  EXPECT_FALSE(LessLoaded(big_and_full, small_and_free));
}

TEST(WorkerChoice, ComparesWorkForTheSize) {
  EXPECT_TRUE(LessLoaded({.assigned = 3, .slots = 16}, {.assigned = 1, .slots = 2}));
  EXPECT_FALSE(LessLoaded({.assigned = 1, .slots = 2}, {.assigned = 1, .slots = 2}));
}

TEST(WorkerChoice, RoomEndsAtTheSmallerOfDepthAndTheWorkersOwnLimit) {
  const WorkerLoad load{.assigned = 4, .slots = 2, .ahead_max = 3};
  EXPECT_FALSE(HasRoom(load, 0));
  EXPECT_FALSE(HasRoom(load, 1));
  EXPECT_TRUE(HasRoom(load, 2));
  EXPECT_FALSE(HasRoom({.assigned = 8, .slots = 2, .ahead_max = 3}, 8));
  EXPECT_FALSE(HasRoom({.assigned = 0, .slots = 0, .ahead_max = 3}, 8));
}

}  // namespace
}  // namespace engine::placement
