// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/utf8.h"

namespace engine::expr {

std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto within = [&](std::size_t at, unsigned first, unsigned last) {
    return byte(at) >= first && byte(at) <= last;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    return text.empty() ? 0 : 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return within(1, 0x80, 0xBF) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned first = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned last = lead == 0xED ? 0x9F : 0xBF;
    return within(1, first, last) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned first = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned last = lead == 0xF4 ? 0x8F : 0xBF;
    return within(1, first, last) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

std::string Excerpt(std::string_view text, std::size_t bytes_max) {
  std::string excerpt;
  while (!text.empty() && excerpt.size() < bytes_max) {
    const std::size_t length = SequenceLength(text);
    if (length == 0) {
      excerpt += kReplacementCharacter;
    } else if (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F) {
      excerpt += ' ';
    } else {
      excerpt += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return text.empty() ? excerpt : excerpt + "…";
}

}  // namespace engine::expr
