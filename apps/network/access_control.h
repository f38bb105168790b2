// SPDX-License-Identifier: Apache-2.0
// Who may call what over TLS: decided for every method of every service in one place, before it is
// reached. The operator's socket is guarded by its file mode instead.
#pragma once

#include <memory>

#include <grpcpp/security/auth_metadata_processor.h>

namespace apps::network {

/// An operator's certificate opens everything but the agents' methods, a worker's only those;
/// either may put chunks. `Register` takes anybody, because a join token is its proof.
std::shared_ptr<grpc::AuthMetadataProcessor> MakeAccessControl();

}  // namespace apps::network
