// SPDX-License-Identifier: Apache-2.0
#include "apps/network/access_control.h"

#include <optional>
#include <string>
#include <string_view>

#include "api/wire/certificates.h"

namespace apps::network {
namespace {

namespace wire = api::wire;

constexpr std::string_view kAgents = "/dayfly.v1.Agents/";
constexpr std::string_view kChunks = "/dayfly.v1.Chunks/";
/// Of `Chunks`, those that operators may call, too: they upload trees.
constexpr std::string_view kHasChunks = "/dayfly.v1.Chunks/HasChunks";
constexpr std::string_view kPutChunk = "/dayfly.v1.Chunks/PutChunk";
constexpr std::string_view kRegister = "/dayfly.v1.Agents/Register";

std::optional<wire::Identity> IdentityOf(const grpc::AuthContext& context) {
  const auto uris = context.FindPropertyValues("peer_uri");
  if (!context.IsPeerAuthenticated() || uris.size() != 1) {
    return std::nullopt;
  }
  return wire::IdentityFromUri({uris.front().data(), uris.front().size()});
}

grpc::Status Refuse(grpc::StatusCode code, const char* why) {
  return {code, why};
}

class AccessControl final : public grpc::AuthMetadataProcessor {
 public:
  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata*,
                       OutputMetadata*) override {
    const auto found = metadata.find(":path");
    if (found == metadata.end()) {
      return Refuse(grpc::StatusCode::INTERNAL, "the method is not known");
    }
    const std::string_view path(found->second.data(), found->second.size());
    if (path == kRegister) {
      return grpc::Status::OK;
    }
    const std::optional<wire::Identity> who = IdentityOf(*context);
    if (!who) {
      return Refuse(grpc::StatusCode::UNAUTHENTICATED,
                    "a certificate of this server's CA is needed");
    }
    if (path == kHasChunks || path == kPutChunk) {
      return grpc::Status::OK;  // the service tells a worker from an operator
    }
    const auto needed = path.starts_with(kAgents) || path.starts_with(kChunks)
                            ? wire::Identity::Kind::kWorker
                            : wire::Identity::Kind::kOperator;
    return who->kind == needed ? grpc::Status::OK
                               : Refuse(grpc::StatusCode::PERMISSION_DENIED,
                                        needed == wire::Identity::Kind::kWorker
                                            ? "only an agent's certificate opens this"
                                            : "only an operator's certificate opens this");
  }
};

}  // namespace

std::shared_ptr<grpc::AuthMetadataProcessor> MakeAccessControl() {
  return std::make_shared<AccessControl>();
}

}  // namespace apps::network
