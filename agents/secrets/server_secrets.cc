// SPDX-License-Identifier: Apache-2.0
#include "agents/secrets/server_secrets.h"

#include <algorithm>
#include <utility>

#include <grpcpp/client_context.h>

#include "api/wire/channels.h"

namespace agents::secrets {

namespace base = engine::base;
namespace pb = dayfly::v1;
namespace wire = api::wire;

namespace {

constexpr const char* kOwnerKey = "dayfly-owner";

base::Status StatusFrom(const grpc::Status& status) {
  // The numbers are the same.
  return status.ok() ? base::OkStatus()
                     : base::MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                                        status.error_message());
}

std::string OwnerIn(const grpc::ClientContext& context) {
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto found = trailing.find(kOwnerKey);
  return found == trailing.end() ? "" : std::string(found->second.data(), found->second.size());
}

}  // namespace

void ServerSecrets::Renewed(const std::string& authority, const wire::KeyPair& client) {
  const std::lock_guard lock(mutex_);
  options_.authority = authority;
  options_.client = client;
  channels_.clear();
}

std::shared_ptr<grpc::Channel> ServerSecrets::ChannelTo(const std::string& address) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<grpc::Channel>& channel = channels_[address];
  if (channel == nullptr) {
    channel = wire::MakeChannel(address, options_.authority, options_.client);
  }
  return channel;
}

void ServerSecrets::Forget(const std::string& address) {
  const std::lock_guard lock(mutex_);
  channels_.erase(address);
}

// Each address once, and after one that names an owner that one.
base::Status ServerSecrets::Call(const Ask& ask) {
  std::vector<std::string> next;
  {
    const std::lock_guard lock(mutex_);
    next = options_.addresses;
  }
  const auto deadline = std::chrono::system_clock::now() + options_.patience;
  base::Status last = base::Unavailable("there is no server to ask");
  std::vector<std::string> asked;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const std::string address = next[i];
    if (std::ranges::find(asked, address) != asked.end()) {
      continue;
    }
    asked.push_back(address);
    const auto stub = pb::Agents::NewStub(ChannelTo(address));
    grpc::ClientContext context;
    context.set_deadline(deadline);
    context.set_wait_for_ready(next.size() == 1);
    last = StatusFrom(ask(*stub, context));
    if (last.code() != absl::StatusCode::kUnavailable &&
        last.code() != absl::StatusCode::kDeadlineExceeded) {
      return last;
    }
    if (std::string owner = OwnerIn(context); !owner.empty()) {
      next.push_back(std::move(owner));
    } else {
      // A channel that has failed fails at once, and connects again only with one of gRPC's rare
      // looks around.
      Forget(address);
    }
  }
  return base::Unavailable("no server gives an answer: {}", base::Message(last));
}

base::StatusOr<std::string> ServerSecrets::Read(std::string_view name) {
  pb::ReadSecretRequest request;
  request.set_name(std::string(name));
  pb::ReadSecretResponse response;
  const base::Status answered = Call([&](pb::Agents::Stub& stub, grpc::ClientContext& context) {
    return stub.ReadSecret(&context, request, &response);
  });
  // To a step it is all one whether it is not there or not for it.
  return answered.code() == absl::StatusCode::kPermissionDenied
             ? base::StatusOr<std::string>(
                   base::NotFound("secret '{}': {}", name, base::Message(answered)))
         : answered.ok() ? base::StatusOr<std::string>(response.value())
                         : answered;
}

base::StatusOr<std::optional<ServerSecrets::Credential>> ServerSecrets::GitCredential(
    const std::string& url) {
  pb::ReadGitCredentialRequest request;
  request.set_url(url);
  pb::ReadGitCredentialResponse response;
  RETURN_IF_ERROR(Call([&](pb::Agents::Stub& stub, grpc::ClientContext& context) {
    return stub.ReadGitCredential(&context, request, &response);
  }));
  return response.has_password() ? std::optional(Credential{.username = response.username(),
                                                            .password = response.password()})
                                 : std::nullopt;
}

}  // namespace agents::secrets
