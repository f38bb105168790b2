// SPDX-License-Identifier: Apache-2.0
// The gRPC service `Agents`: what agents may call. `Register` takes a join token, everything else a
// worker's certificate. Calls that wait for the registry wait on a thread of the service's own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/thread_pool.hpp>
#include <grpcpp/support/server_callback.h>

#include "api/agents/enrolment.h"
#include "api/agents/gate.h"
#include "api/agents/log_intake.h"
#include "api/agents/secret_desk.h"
#include "api/wire/agent.grpc.pb.h"
#include "engine/base/time.h"

namespace api::agents {

struct AgentsServiceParts {
  std::shared_ptr<Gate> gate;
  Enrolment* enrolment = nullptr;
  LogIntake* logs = nullptr;      ///< null: log messages end the stream
  SecretDesk* secrets = nullptr;  ///< null: there are none
  /// UTC, for certificates; any thread.
  std::function<engine::base::Instant()> now;
  /// Fresh random numbers for workers' ids; any thread.
  std::function<std::uint64_t()> draw;
};

class AgentsService final : public dayfly::v1::Agents::CallbackService {
 public:
  /// The parts outlive it. End it after the `grpc::Server` that has it was shut down.
  explicit AgentsService(AgentsServiceParts parts);
  ~AgentsService() override;

  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext* context,
                                     const dayfly::v1::RegisterRequest* request,
                                     dayfly::v1::RegisterResponse* response) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  const dayfly::v1::RenewRequest* request,
                                  dayfly::v1::RenewResponse* response) override;
  grpc::ServerBidiReactor<dayfly::v1::AgentMessage, dayfly::v1::ServerMessage>* Session(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* ReadSecret(grpc::CallbackServerContext* context,
                                       const dayfly::v1::ReadSecretRequest* request,
                                       dayfly::v1::ReadSecretResponse* response) override;
  grpc::ServerUnaryReactor* ReadGitCredential(
      grpc::CallbackServerContext* context, const dayfly::v1::ReadGitCredentialRequest* request,
      dayfly::v1::ReadGitCredentialResponse* response) override;

 private:
  /// Calls without an identity must not pile up.
  static constexpr int kWaitingMax = 256;
  void Wait(std::function<void()> work);
  class Question;
  /// `ask` when the caller is a worker that was not retired.
  grpc::ServerUnaryReactor* Admitted(
      grpc::CallbackServerContext* context,
      std::function<void(engine::model::WorkerId, const std::shared_ptr<Question>&)> ask);
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                   std::function<engine::base::Status()> work);

  AgentsServiceParts parts_;
  std::atomic<int> waiting_ = 0;
  boost::asio::thread_pool pool_{1};
};

}  // namespace api::agents
