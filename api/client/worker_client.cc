// SPDX-License-Identifier: Apache-2.0
#include "api/client/worker_client.h"

#include "api/wire/workers.grpc.pb.h"

namespace api::client {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

base::StatusOr<std::vector<pb::WorkerSummary>> WorkerClient::Workers(const std::string& pool) {
  pb::ListWorkersRequest request;
  request.set_pool(pool);
  pb::ListWorkersResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Workers::NewStub(channel)->ListWorkers(&context, request, &response);
  }));
  return std::vector<pb::WorkerSummary>(response.workers().begin(), response.workers().end());
}

base::StatusOr<std::vector<pb::PoolSummary>> WorkerClient::Pools() {
  pb::ListPoolsResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Workers::NewStub(channel)->ListPools(&context, {}, &response);
  }));
  return std::vector<pb::PoolSummary>(response.pools().begin(), response.pools().end());
}

base::Status WorkerClient::Drain(model::WorkerId worker, bool stop_attempts,
                                 const std::string& request_id) {
  pb::DrainWorkerRequest request;
  request.set_worker_id(worker.value());
  request.set_stop_attempts(stop_attempts);
  request.set_request_id(request_id);
  pb::DrainWorkerResponse response;
  return connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Workers::NewStub(channel)->Drain(&context, request, &response);
  });
}

base::StatusOr<std::uint32_t> WorkerClient::Scale(const std::string& pool, std::uint32_t workers,
                                                  const std::string& request_id) {
  pb::ScalePoolRequest request;
  request.set_pool(pool);
  request.set_workers(workers);
  request.set_request_id(request_id);
  pb::ScalePoolResponse response;
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Workers::NewStub(channel)->Scale(&context, request, &response);
  }));
  return response.workers_before();
}

base::StatusOr<std::string> WorkerClient::MakeJoinToken(const std::string& pool) {
  pb::MakeJoinTokenRequest request;
  request.set_pool(pool);
  pb::MakeJoinTokenResponse response;
  // One that got lost runs out by itself.
  RETURN_IF_ERROR(connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    return pb::Workers::NewStub(channel)->MakeJoinToken(&context, request, &response);
  }));
  return response.token();
}

}  // namespace api::client
