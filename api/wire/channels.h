// SPDX-License-Identifier: Apache-2.0
// TLS for both ends, as gRPC takes it. The server's own CA is the only one that counts; what a
// server is called by the network does not: every server's certificate names `kServerHost`.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include "api/wire/certificates.h"

namespace api::wire {

/// Among the hosts of every server's certificate.
inline constexpr const char* kServerHost = "dayfly-server";

/// Asks each client for a certificate of `authority` (PEM), refuses any other, and lets those
/// without one in: only `Register` takes them.
std::shared_ptr<grpc::ServerCredentials> ServerTls(const std::string& authority,
                                                   const KeyPair& server);

/// A channel to a server of `authority` (PEM); `client` may be empty (before `Register`). Nothing
/// is shared with other channels, so a new certificate counts from the next one.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const std::string& authority,
                                           const KeyPair& client);

}  // namespace api::wire
