// SPDX-License-Identifier: Apache-2.0
// What lets a new worker in, once: `dfj1.<CA's fingerprint>.<secret>`. The first part tells the
// agent whom to believe, the second tells the server whom to let in. A token is a secret: never
// logged, never an argument; the server keeps the SHA-256 of the secret part only.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace api::wire {

inline constexpr engine::base::Duration kJoinTokenLife = std::chrono::minutes(5);

struct JoinToken {
  engine::base::Digest authority;  ///< `FingerprintOf` the CA's certificate
  std::string secret;              ///< 32 random bytes, in hexadecimal
};

/// A fresh one, from the system's random source.
engine::base::StatusOr<JoinToken> DrawJoinToken(const engine::base::Digest& authority);

std::string ToText(const JoinToken& token);
/// `InvalidArgument` says what is wrong without repeating any of the text.
engine::base::StatusOr<JoinToken> JoinTokenFromText(std::string_view text);

/// What the server keeps of it.
engine::base::Digest HashOf(const JoinToken& token);

}  // namespace api::wire
