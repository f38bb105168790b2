// SPDX-License-Identifier: Apache-2.0
#include "agents/chunks/remote_caches.h"

#include <utility>

#include "api/wire/grpc_status.h"
#include "api/wire/values.h"

namespace agents::chunks {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace wire = api::wire;

base::Status RemoteCaches::Call(const Method& method) const {
  const std::shared_ptr<grpc::Channel> channel = channel_();
  if (channel == nullptr) {
    return base::Unavailable("no server is heard");
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + patience_);
  context.set_wait_for_ready(true);
  const std::stop_callback cancel(stop_, [&context] { context.TryCancel(); });
  const auto stub = pb::Chunks::NewStub(channel);
  return wire::FromGrpc(method(*stub, context));
}

base::StatusOr<std::optional<model::Artifact>> RemoteCaches::Find(
    const std::string& key, const std::vector<std::string>& restore_keys) {
  pb::FindCacheRequest request;
  wire::ToWire(attempt_, request.mutable_attempt());
  request.set_key(key);
  for (const std::string& each : restore_keys) {
    request.add_restore_keys(each);
  }
  pb::FindCacheResponse response;
  RETURN_IF_ERROR(Call([&](pb::Chunks::Stub& stub, grpc::ClientContext& context) {
    return stub.FindCache(&context, request, &response);
  }));
  if (!response.has_content()) {
    return std::optional<model::Artifact>();
  }
  ASSIGN_OR_RETURN(model::Artifact content, wire::ArtifactFrom(response.content()));
  return std::optional(std::move(content));
}

base::Status RemoteCaches::Add(const model::Artifact& content) {
  pb::AddCacheRequest request;
  wire::ToWire(attempt_, request.mutable_attempt());
  wire::ToWire(content, request.mutable_content());
  pb::AddCacheResponse response;
  return Call([&](pb::Chunks::Stub& stub, grpc::ClientContext& context) {
    return stub.AddCache(&context, request, &response);
  });
}

base::Status RemoteCaches::Drop(const model::Artifact& content) {
  pb::DropCacheRequest request;
  wire::ToWire(attempt_, request.mutable_attempt());
  wire::ToWire(content, request.mutable_content());
  pb::DropCacheResponse response;
  return Call([&](pb::Chunks::Stub& stub, grpc::ClientContext& context) {
    return stub.DropCache(&context, request, &response);
  });
}

}  // namespace agents::chunks
