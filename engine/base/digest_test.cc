// SPDX-License-Identifier: Apache-2.0
#include "engine/base/digest.h"

#include <gtest/gtest.h>

namespace engine::base {
namespace {

// FIPS 180-4 example values.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesThePublishedExamples) {
  EXPECT_EQ(ToHex(Sha256("")), kEmpty);
  EXPECT_EQ(ToHex(Sha256("abc")), kAbc);
}

TEST(Hasher, GivesTheSameInPieces) {
  Hasher hasher;
  hasher.Update("a");
  hasher.Update("");
  hasher.Update("bc");
  EXPECT_EQ(ToHex(hasher.Finish()), kAbc);
}

TEST(DigestFromHex, TakesOnlyWhatToHexWrites) {
  EXPECT_EQ(DigestFromHex(kAbc), Sha256("abc"));
  std::string upper = kAbc;
  upper[0] = 'B';
  EXPECT_EQ(DigestFromHex(upper), std::nullopt);
  EXPECT_EQ(DigestFromHex("ba78"), std::nullopt);
  EXPECT_EQ(DigestFromHex(""), std::nullopt);
}

}  // namespace
}  // namespace engine::base
