// SPDX-License-Identifier: Apache-2.0
// Just enough of UTF-8 to show text that somebody else wrote: decoding that survives anything, and
// display width.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace apps::view {

struct CodePoint {
  char32_t value = 0xFFFD;
  std::string_view bytes;  ///< what it was made of; one byte when invalid
  bool valid = false;
};

/// Removes the first code point (or the first invalid byte) of `text`, which is not empty.
CodePoint TakeCodePoint(std::string_view& text);

/// Columns a terminal gives it: 0 for combining marks, 2 for East Asian wide characters and most
/// emoji, else 1.
int DisplayWidth(char32_t code_point);
int DisplayWidth(std::string_view text);

/// `text` cut to `columns`, the last of which is `…` when something was cut.
std::string CutToWidth(std::string_view text, int columns);

/// What a step wrote, made safe for a terminal: escape sequences vanish, a carriage return starts
/// the line over (as it would look), other control and direction characters and invalid bytes
/// become U+FFFD. Tabs stay.
std::string Sanitise(std::string_view line);

}  // namespace apps::view
