// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/ready_order.h"

#include <limits>

#include <gtest/gtest.h>

namespace engine::placement {
namespace {

using model::JobIndex;

TEST(ReadyOrder, PriorityGoesBeforePathAndPathBeforePosition) {
  EXPECT_LT(MakeReadyKey(1, 1, JobIndex(9)), MakeReadyKey(0, 100, JobIndex(0)));
  EXPECT_LT(MakeReadyKey(0, 5, JobIndex(9)), MakeReadyKey(0, 4, JobIndex(0)));
  EXPECT_LT(MakeReadyKey(0, 5, JobIndex(0)), MakeReadyKey(0, 5, JobIndex(1)));
}

TEST(ReadyOrder, HoldsAtTheEndsOfItsRange) {
  constexpr std::int32_t kLow = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kHigh = std::numeric_limits<std::int32_t>::max();
  constexpr std::uint32_t kLong = std::numeric_limits<std::uint32_t>::max();
  EXPECT_LT(MakeReadyKey(-1, 0, JobIndex(0)), MakeReadyKey(kLow, kLong, JobIndex(0)));
  EXPECT_LT(MakeReadyKey(kHigh, 0, JobIndex(0)), MakeReadyKey(-1, kLong, JobIndex(0)));
  EXPECT_LT(MakeReadyKey(kLow, kLong, JobIndex(0)), MakeReadyKey(kLow, kLong - 1, JobIndex(0)));
}

}  // namespace
}  // namespace engine::placement
