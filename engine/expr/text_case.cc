// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/text_case.h"

#include <algorithm>
#include <cstddef>

namespace engine::expr {
namespace {

constexpr char UpperAscii(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

constexpr bool IsAscii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}
constexpr bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

constexpr bool Within(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

// In these blocks capital and small letters alternate; the small one has the given parity.
constexpr bool IsSmallOfPair(char32_t c) {
  const bool odd = (c & 1U) != 0;
  if (Within(c, 0x100, 0x12F) || Within(c, 0x132, 0x137) || Within(c, 0x14A, 0x177) ||
      Within(c, 0x460, 0x481) || Within(c, 0x48A, 0x4BF) || Within(c, 0x4D0, 0x52F) ||
      Within(c, 0x1E00, 0x1E95) || Within(c, 0x1EA0, 0x1EFF)) {
    return odd;
  }
  return !odd && (Within(c, 0x139, 0x148) || Within(c, 0x179, 0x17E) || Within(c, 0x4C1, 0x4CE));
}

constexpr char32_t UpperGreek(char32_t c) {
  if (c == 0x3AC) {
    return 0x386;
  }
  if (Within(c, 0x3AD, 0x3AF)) {
    return c - 37;
  }
  if (c == 0x3C2) {  // Final sigma.
    return 0x3A3;
  }
  if (Within(c, 0x3B1, 0x3CB)) {
    return c - 0x20;
  }
  if (c == 0x3CC) {
    return 0x38C;
  }
  return Within(c, 0x3CD, 0x3CE) ? c - 63 : c;
}

constexpr char32_t Upper(char32_t c) {
  if (IsSmallOfPair(c)) {
    return c - 1;
  }
  if ((Within(c, 0xE0, 0xFE) && c != 0xF7) || Within(c, 0x430, 0x44F)) {
    return c - 0x20;
  }
  if (Within(c, 0x450, 0x45F)) {
    return c - 0x50;
  }
  if (Within(c, 0x561, 0x586)) {
    return c - 0x30;
  }
  switch (c) {
    case 0xB5:
      return 0x39C;
    case 0xFF:
      return 0x178;
    case 0x4CF:
      return 0x4C0;
    default:
      return UpperGreek(c);
  }
}

constexpr unsigned Bits(char c, unsigned mask) {
  return static_cast<unsigned char>(c) & mask;
}

// Rewrites the sequence that starts at `text[at]` in place and returns its length. Everything
// mapped above has two or (U+1E00 to U+1EFF) three bytes, before and after.
std::size_t UpperSequence(std::string& text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead >= 0xC2 && lead <= 0xDF && at + 1 < text.size() && IsContinuation(text[at + 1])) {
    const char32_t c = Upper((Bits(text[at], 0x1F) << 6U) | Bits(text[at + 1], 0x3F));
    text[at] = static_cast<char>(0xC0U | (c >> 6U));
    text[at + 1] = static_cast<char>(0x80U | (c & 0x3FU));
    return 2;
  }
  if (lead == 0xE1 && at + 2 < text.size() && IsContinuation(text[at + 1]) &&
      IsContinuation(text[at + 2])) {
    const char32_t c = Upper(0x1000U | (Bits(text[at + 1], 0x3F) << 6U) | Bits(text[at + 2], 0x3F));
    text[at + 1] = static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
    text[at + 2] = static_cast<char>(0x80U | (c & 0x3FU));
    return 3;
  }
  return 1;
}

std::size_t CommonAsciiPrefix(std::string_view a, std::string_view b) {
  const std::size_t end = std::min(a.size(), b.size());
  std::size_t at = 0;
  while (at < end && IsAscii(a[at]) && UpperAscii(a[at]) == UpperAscii(b[at])) {
    ++at;
  }
  return at;
}

bool AsciiAt(std::string_view text, std::size_t at) {
  return at >= text.size() || IsAscii(text[at]);
}

}  // namespace

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (std::size_t at = 0; at < upper.size();) {
    if (IsAscii(upper[at])) {
      upper[at] = UpperAscii(upper[at]);
      ++at;
    } else {
      at += UpperSequence(upper, at);
    }
  }
  return upper;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CompareIgnoringCase(a, b) == 0;
}

int CompareIgnoringCase(std::string_view a, std::string_view b) {
  const std::size_t at = CommonAsciiPrefix(a, b);
  if (AsciiAt(a, at) && AsciiAt(b, at)) {
    if (at == a.size() || at == b.size()) {
      return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
    }
    return UpperAscii(a[at]) < UpperAscii(b[at]) ? -1 : 1;
  }
  // UTF-8 sorts like its code points.
  return UpperCase(a.substr(at)).compare(UpperCase(b.substr(at)));
}

}  // namespace engine::expr
