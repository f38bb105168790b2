// SPDX-License-Identifier: Apache-2.0
// Numbers of the language and their text.
#pragma once

#include <string>
#include <string_view>

namespace engine::expr {

/// Decimal with fraction and exponent and one sign, `0x…`, `0o…`, `Infinity` with a sign; white
/// space around it does not count. Empty text is 0; anything else is NaN. What does not fit is
/// infinite, or 0.
double ParseNumber(std::string_view text);

/// With at most 15 significant digits, as GitHub's runner prints numbers (.NET's "G15"): exponents
/// below -4 or above 14 in the form `1E+21`, `1E-05`; `NaN`, `Infinity`, `-Infinity`; -0 is `0`.
std::string DisplayNumber(double value);

/// The same, with 17 digits where 15 would not read back as `value`.
std::string ExactNumber(double value);

}  // namespace engine::expr
