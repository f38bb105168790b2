// SPDX-License-Identifier: Apache-2.0
#include "engine/base/checksum.h"

#include <cstddef>
#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace engine::base {
namespace {

std::uint32_t ByTable(std::uint32_t so_far, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

#if defined(__x86_64__)
// A CRC is the remainder of the message as a polynomial, so a block may be replaced by any other of
// the same remainder: here 16 bytes are multiplied, without carry, by x^n mod P and added to the
// bytes n bits further on. Four blocks at a time keep the multiplier busy. What is left of all
// blocks is 16 bytes, which the table finishes. Bits are reflected, as in zlib's polynomial.

/// x^(4·128+32) and x^(4·128-32) mod P: carries a block over the three beside it.
constexpr long long kOverFour[2] = {0x154442bd4, 0x1c6e41596};
/// x^(128+32) and x^(128-32) mod P: carries a block to the next.
constexpr long long kOverOne[2] = {0x1751997d0, 0x0ccaa009e};
constexpr std::size_t kBlock = 16;

__attribute__((target("pclmul,sse4.1"))) __m128i Carry(__m128i block, __m128i factors,
                                                       __m128i next) {
  const auto low = _mm_clmulepi64_si128(block, factors, 0x00);
  const auto high = _mm_clmulepi64_si128(block, factors, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) std::uint32_t ByMultiplication(std::uint32_t so_far,
                                                                        std::string_view bytes) {
  const auto load = [&](std::size_t at) __attribute__((target("pclmul,sse4.1"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
  };
  __m128i blocks[4];
  for (std::size_t i = 0; i < 4; ++i) {
    blocks[i] = load(i * kBlock);
  }
  blocks[0] = _mm_xor_si128(blocks[0], _mm_cvtsi32_si128(static_cast<int>(~so_far)));
  bytes.remove_prefix(4 * kBlock);

  const auto over_four = _mm_set_epi64x(kOverFour[1], kOverFour[0]);
  while (bytes.size() >= 4 * kBlock) {
    for (std::size_t i = 0; i < 4; ++i) {
      blocks[i] = Carry(blocks[i], over_four, load(i * kBlock));
    }
    bytes.remove_prefix(4 * kBlock);
  }
  const auto over_one = _mm_set_epi64x(kOverOne[1], kOverOne[0]);
  auto rest = blocks[0];
  for (std::size_t i = 1; i < 4; ++i) {
    rest = Carry(rest, over_one, blocks[i]);
  }
  while (bytes.size() >= kBlock) {
    rest = Carry(rest, over_one, load(0));
    bytes.remove_prefix(kBlock);
  }
  char last[kBlock];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(last), rest);
  // The register's beginning is in the blocks already: zlib's inverts what it is given.
  return ByTable(ByTable(0xffffffff, {last, kBlock}), bytes);
}
#endif

}  // namespace

std::uint32_t Crc32(std::uint32_t so_far, std::string_view bytes) {
#if defined(__x86_64__)
  static const bool multiplies =
      __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  if (multiplies && bytes.size() >= 4 * kBlock) {
    return ByMultiplication(so_far, bytes);
  }
#endif
  return ByTable(so_far, bytes);
}

std::uint32_t Crc32OfBoth(std::uint32_t first, std::uint32_t second, std::uint64_t second_length) {
  return static_cast<std::uint32_t>(
      crc32_combine(first, second, static_cast<z_off_t>(second_length)));
}

}  // namespace engine::base
