// SPDX-License-Identifier: Apache-2.0
// How an agent that has only a join token finds out whom it may trust: it looks at the chain that
// the server shows in a TLS handshake and takes the CA whose fingerprint the token carries. Nothing
// is said on that connection.
#pragma once

#include <string>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace api::wire {

/// Connects to `address` (`host:port`, `[v6]:port`) and returns the CA's certificate, PEM, to pin.
/// Blocks, at most `timeout` (connect) and again `timeout` (handshake). `Unavailable`: nobody
/// answers. `PermissionDenied`: the server shows no CA of that fingerprint, or one that did not
/// sign the server's certificate, or the certificate is not good at `now`.
engine::base::StatusOr<std::string> FetchAuthority(const std::string& address,
                                                   const engine::base::Digest& fingerprint,
                                                   engine::base::Instant now,
                                                   engine::base::Duration timeout);

}  // namespace api::wire
