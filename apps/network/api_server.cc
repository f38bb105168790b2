// SPDX-License-Identifier: Apache-2.0
#include "apps/network/api_server.h"

#include <chrono>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include "api/wire/agent_messages.h"
#include "api/wire/key_files.h"
#include "apps/network/access_control.h"

namespace apps::network {

namespace base = engine::base;
namespace wire = api::wire;

namespace {

// A socket that nobody answers on any more is removed; one that lives is another server's.
base::Status ClearSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::FailedPrecondition("the socket's path is too long: {}", path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  if (answered) {
    return base::FailedPrecondition("another server answers on {}", path);
  }
  unlink(path.c_str());
  return base::OkStatus();
}

base::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsOf(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string authority, wire::LoadFile(folder + "/ca.pem"));
  ASSIGN_OR_RETURN(const wire::KeyPair server, wire::LoadKeyPair(folder, "server"));
  // `Register` has no certificate to show yet: whoever has none is turned away by the access
  // control.
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = authority;
  // With the CA behind it: an agent that joins finds by its fingerprint whom to trust.
  options.pem_key_cert_pairs.push_back({server.key, server.certificate + authority});
  auto credentials = grpc::SslServerCredentials(options);
  credentials->SetAuthMetadataProcessor(MakeAccessControl());
  return credentials;
}

void AddLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(wire::kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 10'000);
  // A peer that is gone without a word is noticed.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 2'000);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

base::StatusOr<std::unique_ptr<ApiServer>> ApiServer::Start(const ServerConfig& config,
                                                            api::services::Seat& seat,
                                                            std::vector<grpc::Service*> more) {
  RETURN_IF_ERROR(ClearSocket(config.socket));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<ApiServer> out(new ApiServer(seat));
  grpc::ServerBuilder builder;
  AddLimits(builder);
  builder.AddListeningPort("unix:" + config.socket, grpc::InsecureServerCredentials());
  int port = 0;
  if (!config.listen.empty()) {
    auto credentials = TlsOf(config.certificates);
    if (!credentials.ok()) {
      return base::FailedPrecondition("{}; dayfly server init makes certificates",
                                      base::Message(credentials.status()));
    }
    builder.AddListeningPort(config.listen, *credentials, &port);
  }
  builder.RegisterService(&out->runs_);
  for (grpc::Service* service : more) {
    builder.RegisterService(service);
  }
  // The socket is nobody else's from its first moment.
  const mode_t before = umask(0177);
  out->server_ = builder.BuildAndStart();
  umask(before);
  if (out->server_ == nullptr) {
    return base::FailedPrecondition("cannot listen on {}{}{}", config.socket,
                                    config.listen.empty() ? "" : " and ", config.listen);
  }
  if (port != 0) {
    out->address_ = config.listen.substr(0, config.listen.rfind(':') + 1) + std::to_string(port);
  }
  out->SetServing(false);
  return out;
}

ApiServer::~ApiServer() {
  if (server_ != nullptr) {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }
}

void ApiServer::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
}

}  // namespace apps::network
