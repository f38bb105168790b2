// SPDX-License-Identifier: Apache-2.0
// The service `Workers`. What it shows and does comes from its parts, so that it knows neither hub
// nor providers. Called on gRPC's threads.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "api/services/seat.h"
#include "api/services/work_queue.h"
#include "api/wire/workers.grpc.pb.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/core/core.h"
#include "engine/model/ids.h"

namespace api::services {

struct WorkersParts {
  // On the engine's thread, while this server owns the shard.
  std::function<std::vector<dayfly::v1::WorkerSummary>(const engine::core::EngineCore&)> workers;
  std::function<std::vector<dayfly::v1::PoolSummary>(const engine::core::EngineCore&)> pools;
  /// `done`, on any thread, when it is durable that the worker gets nothing new. `NotFound`.
  std::function<void(engine::model::WorkerId, bool stop_attempts, std::string by,
                     std::function<void(engine::base::Status)> done)>
      drain;
  /// How many were wanted before. `NotFound`, `InvalidArgument`, `FailedPrecondition`.
  std::function<engine::base::StatusOr<std::uint32_t>(const std::string& pool,
                                                      std::uint32_t workers)>
      scale;

  /// On a thread where it may block. `NotFound`: no such pool; `FailedPrecondition`: nobody could
  /// join, because this server does not listen for agents.
  struct Token {
    std::string text;
    engine::base::Instant expires_at{};
  };
  std::function<engine::base::StatusOr<Token>(const std::string& pool)> make_token;
};

class WorkersService final : public dayfly::v1::Workers::CallbackService {
 public:
  WorkersService(Seat& seat, WorkersParts parts);

  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext* context,
                                        const dayfly::v1::ListWorkersRequest* request,
                                        dayfly::v1::ListWorkersResponse* response) override;
  grpc::ServerUnaryReactor* ListPools(grpc::CallbackServerContext* context,
                                      const dayfly::v1::ListPoolsRequest* request,
                                      dayfly::v1::ListPoolsResponse* response) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const dayfly::v1::DrainWorkerRequest* request,
                                  dayfly::v1::DrainWorkerResponse* response) override;
  grpc::ServerUnaryReactor* Scale(grpc::CallbackServerContext* context,
                                  const dayfly::v1::ScalePoolRequest* request,
                                  dayfly::v1::ScalePoolResponse* response) override;
  grpc::ServerUnaryReactor* MakeJoinToken(grpc::CallbackServerContext* context,
                                          const dayfly::v1::MakeJoinTokenRequest* request,
                                          dayfly::v1::MakeJoinTokenResponse* response) override;

 private:
  /// What was answered to the newest scale requests, by their ids. The engine's thread.
  struct Scaled {
    std::string pool;
    std::uint32_t workers = 0;
    std::uint32_t before = 0;
  };
  engine::base::StatusOr<std::uint32_t> ScaleOnce(const dayfly::v1::ScalePoolRequest& request);

  Seat& seat_;
  WorkersParts parts_;
  std::map<std::string, Scaled> scaled_;
  std::vector<std::string> scaled_order_;  ///< oldest first
  WorkQueue registry_;
};

}  // namespace api::services
