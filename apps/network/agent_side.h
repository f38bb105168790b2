// SPDX-License-Identifier: Apache-2.0
// The server's side of agents: who may join, their streams, and (while this server owns the shard)
// the hub through which the engine speaks to them. On the engine's thread, but for `service` and
// `MakeToken`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "api/agents/agents_service.h"
#include "api/agents/enrolment.h"
#include "api/agents/gate.h"
#include "api/hub/agent_hub.h"
#include "api/services/workers_service.h"
#include "apps/server_config.h"
#include "engine/base/status.h"
#include "engine/core/core.h"
#include "engine/loop/engine_loop.h"
#include "engine/ports/clock.h"
#include "engine/ports/worker_registry.h"
#include "engine/ports/worker_watch.h"

namespace apps::network {

/// What `server.yml` says of each pool, and how many of `workers` it has.
std::vector<dayfly::v1::PoolSummary> PoolSummaries(
    const ServerConfig& config, const std::vector<dayfly::v1::WorkerSummary>& workers);

class AgentSide {
 public:
  /// Reads the CA and opens the registry. `FailedPrecondition` says what is missing.
  static engine::base::StatusOr<std::unique_ptr<AgentSide>> Open(boost::asio::io_context& io,
                                                                 const ServerConfig& config,
                                                                 api::agents::LogIntake* logs,
                                                                 api::agents::SecretDesk* secrets);

  grpc::Service* service() { return &service_; }

  /// This server owns the shard; between the loop's `Recover` and `Start`. The hub is the engine's
  /// link as long as that lives.
  /// `watch`: who can tell whether a worker still lives; may be null.
  api::hub::AgentHub& OpenHub(engine::loop::EngineLoop& loop, engine::ports::WorkerWatch* watch);
  /// Nobody comes in any more. Before the loop ends; `owner` is who may be asked instead, if known.
  void CloseGate(const std::string& owner);
  /// After the loop has ended.
  void DropHub();
  /// Another server owns the shard; agents who come are sent there.
  void OwnerSeen(const std::string& owner);

  std::vector<dayfly::v1::WorkerSummary> Workers(const engine::core::EngineCore& core) const;
  /// `done` when it is durable. `NotFound`.
  void Drain(engine::model::WorkerId worker, bool stop_attempts, std::string by,
             std::function<void(engine::base::Status)> done);
  /// Any thread; blocks.
  engine::ports::WorkerRegistry& registry() { return *registry_; }
  /// Any thread; blocks. For the agent of this launch alone.
  engine::base::StatusOr<std::string> MakeLaunchToken(const std::string& pool,
                                                      const std::string& launch);
  /// Any thread; blocks.
  engine::base::StatusOr<api::services::WorkersParts::Token> MakeToken(const std::string& pool);

 private:
  AgentSide(boost::asio::io_context& io, const ServerConfig& config, api::wire::KeyPair authority,
            std::unique_ptr<engine::ports::WorkerRegistry> registry, api::agents::LogIntake* logs,
            api::agents::SecretDesk* secrets);

  boost::asio::io_context& io_;
  const ServerConfig& config_;
  std::unique_ptr<engine::ports::WorkerRegistry> registry_;
  api::agents::Enrolment enrolment_;
  std::shared_ptr<api::agents::Gate> gate_;
  api::agents::AgentsService service_;
  std::unique_ptr<api::hub::AgentHub> hub_;
  engine::loop::EngineLoop* engine_ = nullptr;  ///< the hub's
};

}  // namespace apps::network
