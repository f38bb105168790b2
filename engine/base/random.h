// SPDX-License-Identifier: Apache-2.0
// Seeded randomness and stable hashes: the same seed gives the same numbers on every machine and in
// every release.
#pragma once

#include <cstdint>
#include <string_view>

namespace engine::base {

/// One step of SplitMix64 (Steele, Lea, Flood 2014): a good 64-bit mixer.
constexpr std::uint64_t Mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// FNV-1a over `bytes`, then mixed. Stable across releases; not for content addressing.
std::uint64_t StableHash(std::string_view bytes, std::uint64_t seed = 0);

/// SplitMix64 generator. Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return Mix64(state_ - 0x9e3779b97f4a7c15ULL);
  }
  /// Uniform in [0, bound); 0 when `bound` is 0.
  std::uint64_t Below(std::uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }
  /// True with probability `numerator / denominator`.
  bool OneIn(std::uint64_t numerator, std::uint64_t denominator) {
    return Below(denominator) < numerator;
  }

 private:
  std::uint64_t state_;
};

}  // namespace engine::base
