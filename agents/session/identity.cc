// SPDX-License-Identifier: Apache-2.0
#include "agents/session/identity.h"

#include <chrono>
#include <utility>

#include <grpcpp/client_context.h>

#include "api/wire/agent.grpc.pb.h"
#include "api/wire/channels.h"
#include "api/wire/grpc_status.h"
#include "api/wire/join_token.h"
#include "api/wire/key_files.h"
#include "api/wire/server_chain.h"

namespace agents::session {

namespace base = engine::base;
namespace pb = dayfly::v1;
namespace wire = api::wire;

namespace {

constexpr const char* kName = "agent";

std::string AuthorityPath(const std::string& folder) {
  return folder + "/authority.pem";
}

base::StatusOr<AgentIdentity> EnrolAt(const std::string& address, const wire::JoinToken& token,
                                      const Enrolling& enrolling) {
  ASSIGN_OR_RETURN(
      const std::string authority,
      wire::FetchAuthority(address, token.authority, enrolling.now, enrolling.timeout));
  ASSIGN_OR_RETURN(std::string key, wire::MakeKey());
  ASSIGN_OR_RETURN(const std::string request, wire::MakeRequest(key));
  const auto stub = pb::Agents::NewStub(wire::MakeChannel(address, authority, {}));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + enrolling.timeout);
  pb::RegisterRequest ask;
  ask.set_join_token(enrolling.join_token);
  ask.set_certificate_request(request);
  ask.set_host(enrolling.host);
  pb::RegisterResponse answer;
  RETURN_IF_ERROR(wire::FromGrpc(stub->Register(&context, ask, &answer)));
  return MakeIdentity({.certificate = answer.certificate(), .key = std::move(key)}, authority);
}

}  // namespace

base::StatusOr<AgentIdentity> MakeIdentity(wire::KeyPair pair, std::string authority) {
  ASSIGN_OR_RETURN(const wire::CertificateFacts facts, wire::ReadCertificate(pair.certificate));
  if (!facts.identity || facts.identity->kind != wire::Identity::Kind::kWorker) {
    return base::InvalidArgument("certificate: is not a worker's");
  }
  return AgentIdentity{.worker = facts.identity->worker,
                       .pair = std::move(pair),
                       .authority = std::move(authority),
                       .renew_at = wire::RenewAt(facts),
                       .valid_to = facts.valid_to};
}

base::StatusOr<AgentIdentity> LoadIdentity(const std::string& folder) {
  ASSIGN_OR_RETURN(wire::KeyPair pair, wire::LoadKeyPair(folder, kName));
  ASSIGN_OR_RETURN(std::string authority, wire::LoadFile(AuthorityPath(folder)));
  auto identity = MakeIdentity(std::move(pair), std::move(authority));
  if (!identity.ok()) {
    return base::DataLoss("{}: {}", folder, base::Message(identity.status()));
  }
  return identity;
}

base::Status SaveIdentity(const std::string& folder, const AgentIdentity& identity) {
  RETURN_IF_ERROR(wire::SavePrivateFile(AuthorityPath(folder), identity.authority));
  return wire::SaveKeyPair(folder, kName, identity.pair);
}

// A token works once, so only a server that cannot have seen it is followed by the next one.
base::StatusOr<AgentIdentity> Enrol(const Enrolling& enrolling) {
  ASSIGN_OR_RETURN(const wire::JoinToken token, wire::JoinTokenFromText(enrolling.join_token));
  base::Status last = base::InvalidArgument("there is no server to join");
  for (const std::string& address : enrolling.servers) {
    auto identity = EnrolAt(address, token, enrolling);
    if (identity.ok() || identity.status().code() != absl::StatusCode::kUnavailable) {
      return identity;
    }
    last = identity.status();
  }
  return last;
}

}  // namespace agents::session
