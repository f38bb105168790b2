// SPDX-License-Identifier: Apache-2.0
#include "api/services/workers_service.h"

#include <algorithm>
#include <utility>

#include "api/services/call.h"
#include "api/wire/request_fields.h"
#include "engine/loop/engine_loop.h"

namespace api::services {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

constexpr std::size_t kTokensWaitingMax = 64;
constexpr std::size_t kScaledMax = 1024;
constexpr std::size_t kPoolBytesMax = 256;

}  // namespace

WorkersService::WorkersService(Seat& seat, WorkersParts parts)
    : seat_(seat), parts_(std::move(parts)), registry_("dayfly-tokens", kTokensWaitingMax) {}

grpc::ServerUnaryReactor* WorkersService::ListWorkers(grpc::CallbackServerContext* context,
                                                      const pb::ListWorkersRequest* request,
                                                      pb::ListWorkersResponse* response) {
  const Call call(seat_, context);
  seat_.OnEngine([this, call, request, response](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    shard->loop->Read(
        [this, call, request, response](const engine::core::EngineCore& core, base::Instant) {
          for (pb::WorkerSummary& worker : parts_.workers(core)) {
            if (request->pool().empty() || request->pool() == worker.pool()) {
              *response->add_workers() = std::move(worker);
            }
          }
          call.Finish(base::OkStatus());
        });
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* WorkersService::ListPools(grpc::CallbackServerContext* context,
                                                    const pb::ListPoolsRequest*,
                                                    pb::ListPoolsResponse* response) {
  const Call call(seat_, context);
  seat_.OnEngine([this, call, response](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    shard->loop->Read([this, call, response](const engine::core::EngineCore& core, base::Instant) {
      for (pb::PoolSummary& pool : parts_.pools(core)) {
        *response->add_pools() = std::move(pool);
      }
      call.Finish(base::OkStatus());
    });
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* WorkersService::Drain(grpc::CallbackServerContext* context,
                                                const pb::DrainWorkerRequest* request,
                                                pb::DrainWorkerResponse*) {
  const Call call(seat_, context);
  if (base::Status keyed = wire::CheckRequestKey(request->request_id(), "request_id");
      !keyed.ok()) {
    call.Finish(keyed);
    return call.reactor;
  }
  // To drain a worker that is being drained changes nothing: no need to remember who asked.
  seat_.OnEngine([this, call, request](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    parts_.drain(model::WorkerId(request->worker_id()), request->stop_attempts(),
                 CallerOf(*call.context),
                 [call](const base::Status& status) { call.Finish(status); });
  });
  return call.reactor;
}

grpc::ServerUnaryReactor* WorkersService::Scale(grpc::CallbackServerContext* context,
                                                const pb::ScalePoolRequest* request,
                                                pb::ScalePoolResponse* response) {
  const Call call(seat_, context);
  base::Status fits = wire::CheckRequestKey(request->request_id(), "request_id");
  if (fits.ok()) {
    fits = wire::CheckPresent(request->pool(), kPoolBytesMax, "pool");
  }
  if (!fits.ok()) {
    call.Finish(fits);
    return call.reactor;
  }
  seat_.OnEngine([this, call, request, response](Shard* shard) {
    if (shard == nullptr) {
      return call.NotOwner();
    }
    const auto before = ScaleOnce(*request);
    response->set_workers_before(before.value_or(0));
    call.Finish(before.status());
  });
  return call.reactor;
}

// A request that comes again after others must not undo them.
base::StatusOr<std::uint32_t> WorkersService::ScaleOnce(const pb::ScalePoolRequest& request) {
  const auto known = scaled_.find(request.request_id());
  if (known != scaled_.end()) {
    return known->second.pool == request.pool() && known->second.workers == request.workers()
               ? base::StatusOr<std::uint32_t>(known->second.before)
               : base::AlreadyExists("request_id: pool {} was scaled to {} with it",
                                     known->second.pool, known->second.workers);
  }
  ASSIGN_OR_RETURN(const std::uint32_t before, parts_.scale(request.pool(), request.workers()));
  scaled_[request.request_id()] = {
      .pool = request.pool(), .workers = request.workers(), .before = before};
  scaled_order_.push_back(request.request_id());
  if (scaled_order_.size() > kScaledMax) {
    scaled_.erase(scaled_order_.front());
    scaled_order_.erase(scaled_order_.begin());
  }
  return before;
}

grpc::ServerUnaryReactor* WorkersService::MakeJoinToken(grpc::CallbackServerContext* context,
                                                        const pb::MakeJoinTokenRequest* request,
                                                        pb::MakeJoinTokenResponse* response) {
  const Call call(seat_, context);
  if (base::Status named = wire::CheckPresent(request->pool(), kPoolBytesMax, "pool");
      !named.ok()) {
    call.Finish(named);
    return call.reactor;
  }
  const base::Status taken = registry_.Do([this, call, request, response] {
    const auto token = parts_.make_token(request->pool());
    if (token.ok()) {
      response->set_token(token->text);
      response->set_expires_at_us(base::ToMicros(token->expires_at));
    }
    call.Finish(token.status());
  });
  if (!taken.ok()) {
    call.Finish(taken);
  }
  return call.reactor;
}

}  // namespace api::services
