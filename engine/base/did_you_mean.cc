// SPDX-License-Identifier: Apache-2.0
#include "engine/base/did_you_mean.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace engine::base {
namespace {

constexpr std::size_t kWordBytesMax = 64;
using Row = std::array<std::size_t, kWordBytesMax + 1>;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool Same(char a, char b) {
  return Lower(a) == Lower(b);
}

template <typename Candidate>
std::optional<std::string_view> Nearest(std::string_view word,
                                        std::span<const Candidate> candidates) {
  const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  std::size_t best_distance = allowed + 1;
  std::optional<std::string_view> best;
  for (const Candidate& candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate, allowed);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

template <typename Candidate>
std::string Hint(std::string_view word, std::span<const Candidate> candidates) {
  const auto nearest = Nearest(word, candidates);
  return nearest ? fmt::format("did you mean '{}'?", *nearest) : std::string();
}

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit || a.size() > kWordBytesMax || b.size() > kWordBytesMax) {
    return limit + 1;
  }
  Row before_last{};
  Row last{};
  Row current{};
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = last[j - 1] + (Same(a[i - 1], b[j - 1]) ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, substituted});
      if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1])) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
      least = std::min(least, current[j]);
    }
    if (least > limit + 1) {  // A swap reaches back two rows, so `limit` itself is too early.
      return limit + 1;
    }
    before_last = last;
    last = current;
  }
  return std::min(last[b.size()], limit + 1);
}

std::optional<std::string_view> NearestOf(std::string_view word,
                                          std::span<const std::string_view> candidates) {
  return Nearest(word, candidates);
}

std::optional<std::string_view> NearestOf(std::string_view word,
                                          std::span<const std::string> candidates) {
  return Nearest(word, candidates);
}

std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates) {
  return Hint(word, candidates);
}

std::string DidYouMean(std::string_view word, std::span<const std::string> candidates) {
  return Hint(word, candidates);
}

}  // namespace engine::base
