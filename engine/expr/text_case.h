// SPDX-License-Identifier: Apache-2.0
// Text without regard to case, as the language compares it: both sides are turned into upper case,
// letter by letter (Unicode's simple mapping for Latin, Greek, Cyrillic and Armenian; dotted and
// dotless i stay what they are), never depending on a locale. Bytes that are no UTF-8 stand for
// themselves. Lengths in bytes never change.
#pragma once

#include <string>
#include <string_view>

namespace engine::expr {

std::string UpperCase(std::string_view text);
bool EqualIgnoringCase(std::string_view a, std::string_view b);
/// Below, equal to or above 0, by code points of the upper case.
int CompareIgnoringCase(std::string_view a, std::string_view b);

}  // namespace engine::expr
