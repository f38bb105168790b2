// SPDX-License-Identifier: Apache-2.0
#include "engine/base/checksum.h"

#include <zlib.h>

namespace engine::base {

std::uint32_t Crc32(std::uint32_t so_far, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace engine::base
