// SPDX-License-Identifier: Apache-2.0
// CRC-32 with zlib's polynomial, by carry-less multiplication where the processor has it: notices
// damage, proves nothing against intent.
#pragma once

#include <cstdint>
#include <string_view>

namespace engine::base {

/// The checksum of everything so far and then `bytes`; begin with 0.
std::uint32_t Crc32(std::uint32_t so_far, std::string_view bytes);

}  // namespace engine::base
