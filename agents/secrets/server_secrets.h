// SPDX-License-Identifier: Apache-2.0
// The secrets and git credentials that a server has for what this worker runs, asked for when they
// are needed: they stand in no message that is journalled, and on no disk of the agent.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/channel.h>

#include "api/wire/agent.grpc.pb.h"
#include "api/wire/certificates.h"
#include "engine/base/status.h"
#include "engine/ports/secret_source.h"

namespace agents::secrets {

struct ServerSecretsOptions {
  std::vector<std::string> addresses;  ///< tried in order, beginning with who answered last
  std::string authority;               ///< PEM
  api::wire::KeyPair client;
  /// For one question, whoever is asked. Less than the silence after which a worker is suspected:
  /// the asking thread may be the one that sends heartbeats.
  std::chrono::milliseconds patience = std::chrono::seconds(4);
};

class ServerSecrets final : public engine::ports::SecretSource {
 public:
  struct Credential {
    std::string username;
    std::string password;
  };

  explicit ServerSecrets(ServerSecretsOptions options) : options_(std::move(options)) {}

  /// A fresh certificate; any thread, as all that follow.
  void Renewed(const std::string& authority, const api::wire::KeyPair& client);

  /// `NotFound`: also when no job that runs here names it; `Unavailable`: no server answers.
  engine::base::StatusOr<std::string> Read(std::string_view name) override;
  /// For a repository that a run here names; nothing: none is needed. Errors as above.
  engine::base::StatusOr<std::optional<Credential>> GitCredential(const std::string& url);

 private:
  using Ask = std::function<grpc::Status(dayfly::v1::Agents::Stub&, grpc::ClientContext&)>;
  engine::base::Status Call(const Ask& ask);
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address);
  void Forget(const std::string& address);

  std::mutex mutex_;
  ServerSecretsOptions options_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace agents::secrets
