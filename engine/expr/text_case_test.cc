// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/text_case.h"

#include <gtest/gtest.h>

#include "engine/expr/utf8.h"

namespace engine::expr {
namespace {

std::string Encoded(char32_t c) {
  const auto tail = [c](unsigned shift) {
    return static_cast<char>(0x80U | ((c >> shift) & 0x3FU));
  };
  if (c < 0x80) {
    return {static_cast<char>(c)};
  }
  if (c < 0x800) {
    return {static_cast<char>(0xC0U | (c >> 6U)), tail(0)};
  }
  if (c < 0x10000) {
    return {static_cast<char>(0xE0U | (c >> 12U)), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0U | (c >> 18U)), tail(12), tail(6), tail(0)};
}

TEST(UpperCase, KeepsEveryLetterWhole) {
  int changed = 0;
  for (char32_t c = 1; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) {
      c = 0xE000;  // Surrogates are no characters.
    }
    const std::string letter = Encoded(c);
    ASSERT_EQ(SequenceLength(letter), letter.size()) << static_cast<unsigned>(c);
    const std::string upper = UpperCase(letter);
    ASSERT_EQ(SequenceLength(upper), letter.size()) << static_cast<unsigned>(c);
    ASSERT_EQ(UpperCase(upper), upper) << static_cast<unsigned>(c);
    changed += upper == letter ? 0 : 1;
  }
  EXPECT_GT(changed, 400);
}

TEST(UpperCase, LeavesAloneWhatIsNoUtf8) {
  for (const std::string_view bytes :
       {"\xff\xfe", "\xc3", "\xc3(", "\xe1\xb8", "\xe1\xb8(", "\x80"}) {
    EXPECT_EQ(UpperCase(bytes), bytes);
  }
  EXPECT_EQ(UpperCase("a\xffz"), "A\xffZ");
}

TEST(CompareIgnoringCase, IsAnOrder) {
  const std::string_view words[] = {"", "_", "\xc3", "a", "A_", "ab", "B", "é", "É!", "ж", "🎉"};
  for (const std::string_view a : words) {
    EXPECT_EQ(CompareIgnoringCase(a, a), 0) << a;
    for (const std::string_view b : words) {
      const int forth = CompareIgnoringCase(a, b);
      const int back = CompareIgnoringCase(b, a);
      EXPECT_EQ(forth<0, back> 0) << a << " " << b;
      EXPECT_EQ(forth == 0, EqualIgnoringCase(a, b)) << a << " " << b;
    }
  }
  EXPECT_LT(CompareIgnoringCase("aé", "AÊ"), 0);
  EXPECT_LT(CompareIgnoringCase("a", "aé"), 0);
}

}  // namespace
}  // namespace engine::expr
