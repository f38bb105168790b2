// SPDX-License-Identifier: Apache-2.0
// What bounds an expression, so that no text and no context can cost much time, memory or stack. In
// docs/expressions.md.
#pragma once

#include <cstddef>

namespace engine::expr {

/// Text of one expression; GitHub's limit.
inline constexpr std::size_t kExpressionBytesMax = 21'000;
/// Parentheses, indexes and calls inside one another.
inline constexpr int kNestingMax = 100;
/// Levels of arrays and objects that `fromJSON` reads.
inline constexpr int kJsonNestingMax = 100;
/// A string that an expression makes (not one that it only passes on).
inline constexpr std::size_t kStringBytesMax = std::size_t{1} << 20;
/// Bytes that one evaluation may make or look through, altogether.
inline constexpr std::size_t kWorkBytesMax = std::size_t{64} << 20;
/// A rendered text.
inline constexpr std::size_t kRenderedBytesMax = std::size_t{16} << 20;
/// A regular expression.
inline constexpr std::size_t kPatternBytesMax = 4096;
/// Arguments of a call; GitHub's limit.
inline constexpr std::size_t kArgumentsMax = 255;

}  // namespace engine::expr
