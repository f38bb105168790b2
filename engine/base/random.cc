// SPDX-License-Identifier: Apache-2.0
#include "engine/base/random.h"

namespace engine::base {

std::uint64_t StableHash(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ Mix64(seed);
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3ULL;
  }
  return Mix64(hash);
}

}  // namespace engine::base
