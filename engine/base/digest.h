// SPDX-License-Identifier: Apache-2.0
// SHA-256 content digests (FIPS 180-4, computed by OpenSSL's libcrypto), the names of plans, chunks
// and artifacts.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engine::base {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

Digest Sha256(std::string_view bytes);

/// 64 lower-case hexadecimal digits.
std::string ToHex(const Digest& digest);
std::optional<Digest> DigestFromHex(std::string_view text);

/// Sha256 of a stream, fed piece by piece. `Finish` is called once.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void Update(std::string_view bytes);
  Digest Finish();

 private:
  void* context_;
};

}  // namespace engine::base
