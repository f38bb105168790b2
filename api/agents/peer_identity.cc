// SPDX-License-Identifier: Apache-2.0
#include "api/agents/peer_identity.h"

#include <string_view>

#include <grpc/grpc_security_constants.h>

namespace api::agents {

namespace base = engine::base;

base::StatusOr<wire::Identity> PeerIdentity(const grpc::ServerContextBase& context) {
  const auto peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) {
    return base::MakeStatus(absl::StatusCode::kUnauthenticated, "a client certificate is needed");
  }
  const auto certificates = peer->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (certificates.size() != 1) {
    return base::MakeStatus(absl::StatusCode::kUnauthenticated, "a client certificate is needed");
  }
  const std::string_view pem(certificates[0].data(), certificates[0].size());
  const auto facts = wire::ReadCertificate(pem);
  if (!facts.ok() || !facts->identity) {
    return base::MakeStatus(absl::StatusCode::kUnauthenticated, "the certificate names nobody");
  }
  return *facts->identity;
}

base::StatusOr<engine::model::WorkerId> PeerWorker(const grpc::ServerContextBase& context) {
  ASSIGN_OR_RETURN(const wire::Identity identity, PeerIdentity(context));
  if (identity.kind != wire::Identity::Kind::kWorker) {
    return base::PermissionDenied("the certificate is not a worker's");
  }
  return identity.worker;
}

}  // namespace api::agents
