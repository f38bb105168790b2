// SPDX-License-Identifier: Apache-2.0
// Finds what an author probably meant: the candidate nearest to a misspelt word.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace engine::base {

/// How many insertions, deletions, substitutions and swaps of neighbours turn `a` into `b`, counted
/// in bytes and without regard to ASCII case (optimal string alignment). Anything above `limit` is
/// given as `limit + 1`.
std::size_t EditDistance(std::string_view a, std::string_view b, std::size_t limit);

/// The nearest candidate, the first of several equally near ones; nothing when none is near enough
/// (a third of the word's length, at least 1), or when the word is longer than 64 bytes. The view
/// points into `candidates`.
std::optional<std::string_view> NearestOf(std::string_view word,
                                          std::span<const std::string_view> candidates);
std::optional<std::string_view> NearestOf(std::string_view word,
                                          std::span<const std::string> candidates);

/// "did you mean 'x'?", or nothing at all: ready to be a hint.
std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates);
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace engine::base
