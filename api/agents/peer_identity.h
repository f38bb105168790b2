// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a call: its certificate says so, which TLS has verified.
#pragma once

#include <grpcpp/server_context.h>

#include "api/wire/certificates.h"
#include "engine/base/status.h"

namespace api::agents {

/// `Unauthenticated` when there is no certificate, or none that names anybody.
engine::base::StatusOr<wire::Identity> PeerIdentity(const grpc::ServerContextBase& context);

/// `PermissionDenied` when it is not a worker.
engine::base::StatusOr<engine::model::WorkerId> PeerWorker(const grpc::ServerContextBase& context);

}  // namespace api::agents
