// SPDX-License-Identifier: Apache-2.0
#include "apps/view/utf8.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace apps::view {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Span {
  char32_t first;
  char32_t last;
};

// Marks that take no column of their own: combining marks of the common scripts, joiners, variation
// selectors.
constexpr Span kZeroWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x093C, 0x093C}, {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};

// East Asian wide and full-width ranges, and the blocks of emoji.
constexpr Span kDoubleWidth[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},
                                 {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},
                                 {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE4F},
                                 {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
                                 {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

template <std::size_t N>
bool In(const Span (&spans)[N], char32_t value) {
  return std::ranges::any_of(
      spans, [value](const Span& span) { return value >= span.first && value <= span.last; });
}

int LengthOf(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// Overlong forms, surrogates and what lies beyond Unicode are invalid although their bits have the
// right shape.
bool IsScalar(char32_t value, int length) {
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  return value >= kSmallest[static_cast<std::size_t>(length)] && value <= 0x10FFFF &&
         (value < 0xD800 || value > 0xDFFF);
}

// Direction overrides can make a line read differently from what it says.
bool IsDirectionControl(char32_t value) {
  return (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069) ||
         value == 0x200E || value == 0x200F || value == 0x061C;
}

// Drops bytes up to and including the one that ends a CSI sequence.
void SkipControlSequence(std::string_view& text) {
  std::size_t at = 0;
  while (at < text.size() && (text[at] < 0x40 || text[at] > 0x7e) &&
         static_cast<unsigned char>(text[at]) >= 0x20 &&
         static_cast<unsigned char>(text[at]) < 0x80) {
    ++at;
  }
  text.remove_prefix(at < text.size() ? at + 1 : at);
}

// OSC, DCS, APC, PM and SOS run to BEL or ESC \; unterminated, to the end of the line.
void SkipString(std::string_view& text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x07') {
      text.remove_prefix(at + 1);
      return;
    }
    if (text[at] == '\x1b' && at + 1 < text.size() && text[at + 1] == '\\') {
      text.remove_prefix(at + 2);
      return;
    }
  }
  text = {};
}

// `text` stands behind an ESC.
void SkipEscape(std::string_view& text) {
  if (text.empty()) {
    return;
  }
  const char kind = text[0];
  text.remove_prefix(1);
  if (kind == '[') {
    SkipControlSequence(text);
  } else if (kind == ']' || kind == 'P' || kind == '_' || kind == '^' || kind == 'X') {
    SkipString(text);
  } else if (kind >= 0x20 && kind <= 0x2f && !text.empty()) {
    text.remove_prefix(1);  // a character set selection has one more byte
  }
}

bool IsPlain(unsigned char c) {
  return c >= 0x20 && c < 0x7f;
}

}  // namespace

CodePoint TakeCodePoint(std::string_view& text) {
  const int length = LengthOf(static_cast<unsigned char>(text[0]));
  CodePoint point;
  point.bytes = text.substr(0, 1);
  if (length == 1) {
    point = {.value = static_cast<char32_t>(text[0]), .bytes = text.substr(0, 1), .valid = true};
  } else if (length > 1 && text.size() >= static_cast<std::size_t>(length)) {
    char32_t value = static_cast<unsigned char>(text[0]) & (0xFFU >> (length + 1));
    bool continued = true;
    for (int i = 1; i < length; ++i) {
      const auto byte = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
      continued = continued && (byte & 0xC0U) == 0x80;
      value = (value << 6U) | (byte & 0x3FU);
    }
    if (continued && IsScalar(value, length)) {
      point = {
          .value = value, .bytes = text.substr(0, static_cast<std::size_t>(length)), .valid = true};
    }
  }
  text.remove_prefix(point.bytes.size());
  return point;
}

int DisplayWidth(char32_t code_point) {
  if (code_point < 0x300) {
    return 1;
  }
  if (In(kZeroWidth, code_point)) {
    return 0;
  }
  return In(kDoubleWidth, code_point) ? 2 : 1;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    width += DisplayWidth(TakeCodePoint(text).value);
  }
  return width;
}

std::string CutToWidth(std::string_view text, int columns) {
  if (columns <= 0) {
    return {};
  }
  std::string kept;
  std::size_t kept_before_last_column = 0;
  int width = 0;
  while (!text.empty()) {
    const CodePoint point = TakeCodePoint(text);
    const int wide = DisplayWidth(point.value);
    if (width + wide > columns) {
      kept.resize(kept_before_last_column);
      return kept + "…";
    }
    width += wide;
    kept += point.valid ? point.bytes : kReplacement;
    if (width <= columns - 1) {
      kept_before_last_column = kept.size();
    }
  }
  return kept;
}

std::string Sanitise(std::string_view line) {
  // A progress bar rewrites its line; what would be left on the screen is what stands behind the
  // last return.
  while (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  if (const std::size_t cr = line.rfind('\r'); cr != std::string_view::npos) {
    line.remove_prefix(cr + 1);
  }
  if (std::ranges::all_of(line, [](char c) { return IsPlain(static_cast<unsigned char>(c)); })) {
    return std::string(line);
  }
  std::string safe;
  safe.reserve(line.size());
  while (!line.empty()) {
    const CodePoint point = TakeCodePoint(line);
    if (point.value == 0x1b) {
      SkipEscape(line);
    } else if (point.value == 0x9b) {
      SkipControlSequence(line);
    } else if (point.value == '\t') {
      safe += '\t';
    } else if (!point.valid || point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0) ||
               IsDirectionControl(point.value)) {
      safe += kReplacement;
    } else {
      safe += point.bytes;
    }
  }
  return safe;
}

}  // namespace apps::view
