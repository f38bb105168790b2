// SPDX-License-Identifier: Apache-2.0
#include "api/wire/join_token.h"

#include <gtest/gtest.h>

namespace api::wire {
namespace {

namespace base = engine::base;

TEST(JoinToken, ComesBackFromItsText) {
  const auto token = DrawJoinToken(base::Sha256("ca"));
  ASSERT_TRUE(token.ok());
  const auto read = JoinTokenFromText(ToText(*token));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->authority, base::Sha256("ca"));
  EXPECT_EQ(HashOf(*read), HashOf(*token));
}

TEST(JoinToken, IsAnotherEachTime) {
  EXPECT_NE(DrawJoinToken({})->secret, DrawJoinToken({})->secret);
}

TEST(JoinToken, SaysWhatIsWrongWithoutRepeatingIt) {
  const std::string good = ToText(*DrawJoinToken(base::Sha256("ca")));
  std::string capital = good;
  capital.back() = 'F';
  for (const std::string& text :
       {std::string(), std::string("dfj1."), good + "0", good.substr(1), capital}) {
    const auto read = JoinTokenFromText(text);
    ASSERT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(base::Message(read.status()).find(good.substr(80)), std::string_view::npos);
  }
}

}  // namespace
}  // namespace api::wire
