// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ids.h"

#include <limits>

#include <gtest/gtest.h>

namespace engine::model {
namespace {

TEST(RunIdText, ComesBackAsTheSameNumber) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x0123456789abcdef},
        std::numeric_limits<std::uint64_t>::max()}) {
    const std::string text = ToText(RunId(value));
    EXPECT_EQ(text.size(), 13U);
    EXPECT_EQ(RunIdFromText(text), RunId(value)) << text;
  }
}

TEST(RunIdText, SortsAsTheNumbersDo) {
  EXPECT_LT(ToText(RunId(31)), ToText(RunId(32)));
  EXPECT_LT(ToText(RunId(1ULL << 40)), ToText(RunId((1ULL << 40) + 1)));
}

TEST(RunIdText, RefusesWhatIsNoId) {
  for (const char* text : {"", "0", "00000000000000", "000000000000I", "000000000000u",
                           "g000000000000", "00000000000 0"}) {
    EXPECT_EQ(RunIdFromText(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace engine::model
