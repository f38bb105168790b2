// SPDX-License-Identifier: Apache-2.0
// UTF-8 as far as JSON text and messages need it. Internal to `engine/expr`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace engine::expr {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

/// Length of the well-formed sequence at the start of `text`, 0 if there is none (Unicode 15, table
/// 3-7).
std::size_t SequenceLength(std::string_view text);

/// The start of `text` for a message: about `bytes_max` bytes, valid UTF-8 without control
/// characters, `…` where cut.
std::string Excerpt(std::string_view text, std::size_t bytes_max = 40);

}  // namespace engine::expr
