// SPDX-License-Identifier: Apache-2.0
#include "api/wire/join_token.h"

#include <openssl/rand.h>

namespace api::wire {

namespace base = engine::base;

namespace {

constexpr std::string_view kPrefix = "dfj1.";
constexpr std::size_t kHexBytes = 64;

}  // namespace

base::StatusOr<JoinToken> DrawJoinToken(const base::Digest& authority) {
  base::Digest random;
  if (RAND_bytes(random.bytes.data(), static_cast<int>(random.bytes.size())) != 1) {
    return base::Internal("the system's random source does not answer");
  }
  return JoinToken{.authority = authority, .secret = base::ToHex(random)};
}

std::string ToText(const JoinToken& token) {
  return fmt::format("{}{}.{}", kPrefix, base::ToHex(token.authority), token.secret);
}

base::StatusOr<JoinToken> JoinTokenFromText(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + 2 * kHexBytes + 1 ||
      text[kPrefix.size() + kHexBytes] != '.') {
    return base::InvalidArgument("join_token: is no join token (dfj1.<fingerprint>.<secret>)");
  }
  const auto authority = base::DigestFromHex(text.substr(kPrefix.size(), kHexBytes));
  const std::string_view secret = text.substr(kPrefix.size() + kHexBytes + 1);
  if (!authority || !base::DigestFromHex(secret)) {
    return base::InvalidArgument("join_token: must be lower-case hexadecimal digits");
  }
  return JoinToken{.authority = *authority, .secret = std::string(secret)};
}

base::Digest HashOf(const JoinToken& token) {
  return base::Sha256(token.secret);
}

}  // namespace api::wire
