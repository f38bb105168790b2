// SPDX-License-Identifier: Apache-2.0
// CRC-32 with zlib's polynomial, by carry-less multiplication where the processor has it: notices
// damage, proves nothing against intent.
#pragma once

#include <cstdint>
#include <string_view>

namespace engine::base {

/// The checksum of everything so far and then `bytes`; begin with 0.
std::uint32_t Crc32(std::uint32_t so_far, std::string_view bytes);

/// The checksum of two pieces in a row, from the checksums of both and the length of the second.
std::uint32_t Crc32OfBoth(std::uint32_t first, std::uint32_t second, std::uint64_t second_length);

}  // namespace engine::base
