// SPDX-License-Identifier: Apache-2.0
#include "engine/base/checksum.h"

#include <gtest/gtest.h>

namespace engine::base {
namespace {

TEST(Crc32, MatchesTheKnownCheckValue) {
  EXPECT_EQ(Crc32(0, "123456789"), 0xcbf43926U);
  EXPECT_EQ(Crc32(0, ""), 0U);
}

TEST(Crc32, GoesOnWhereItStopped) {
  EXPECT_EQ(Crc32(Crc32(0, "1234"), "56789"), Crc32(0, "123456789"));
}

}  // namespace
}  // namespace engine::base
