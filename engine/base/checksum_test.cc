// SPDX-License-Identifier: Apache-2.0
#include "engine/base/checksum.h"

#include <string>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace engine::base {
namespace {

TEST(Crc32, MatchesTheKnownCheckValue) {
  EXPECT_EQ(Crc32(0, "123456789"), 0xcbf43926U);
  EXPECT_EQ(Crc32(0, ""), 0U);
}

/// Bit by bit, as the definition says.
std::uint32_t ByDefinition(std::uint32_t so_far, std::string_view bytes) {
  std::uint32_t remainder = ~so_far;
  for (const char byte : bytes) {
    remainder ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xedb88320U : 0U);
    }
  }
  return ~remainder;
}

TEST(Crc32, IsTheSameForEveryLengthAndAlignment) {
  Random random(7);
  std::string bytes;
  for (int i = 0; i < 400; ++i) {
    bytes.push_back(static_cast<char>(random.Next()));
  }
  for (std::size_t length = 0; length < 350; ++length) {
    const auto part = std::string_view(bytes).substr(length % 17, length);
    const auto so_far = static_cast<std::uint32_t>(random.Next());
    ASSERT_EQ(Crc32(so_far, part), ByDefinition(so_far, part)) << length;
  }
}

TEST(Crc32, GoesOnWhereItStopped) {
  EXPECT_EQ(Crc32(Crc32(0, "1234"), "56789"), Crc32(0, "123456789"));
}

TEST(Crc32, OfTwoPiecesIsThatOfTheWhole) {
  const std::string text = "the first piece, and the second";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::uint32_t first = Crc32(0, text.substr(0, cut));
    const std::uint32_t second = Crc32(0, text.substr(cut));
    EXPECT_EQ(Crc32OfBoth(first, second, text.size() - cut), Crc32(0, text)) << cut;
  }
}

}  // namespace
}  // namespace engine::base
