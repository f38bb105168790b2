// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ids.h"

#include <cstddef>

namespace engine::model {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kTextLength = 13;  // 13 digits of 5 bits hold 64 bits; the first digit has 4

}  // namespace

std::string ToText(RunId run) {
  std::string text(kTextLength, '0');
  std::uint64_t rest = run.value();
  for (std::size_t i = kTextLength; i-- > 0; rest >>= 5) {
    text[i] = kAlphabet[rest & 31];
  }
  return text;
}

std::optional<RunId> RunIdFromText(std::string_view text) {
  if (text.size() != kTextLength || kAlphabet.find(text[0]) > 15) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char digit : text) {
    const std::size_t bits = kAlphabet.find(digit);
    if (bits == std::string_view::npos) {
      return std::nullopt;
    }
    value = (value << 5) | bits;
  }
  return RunId(value);
}

}  // namespace engine::model
