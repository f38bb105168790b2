// SPDX-License-Identifier: Apache-2.0
// The service `Runs`: handlers check what came, reach the engine through the seat and answer once
// what they say is durable. Called on gRPC's threads.
#pragma once

#include <atomic>

#include "api/services/seat.h"
#include "api/services/watch_stream.h"
#include "api/wire/runs.grpc.pb.h"

namespace api::services {

class RunsService final : public dayfly::v1::Runs::CallbackService {
 public:
  /// `seat` outlives the server that this is registered with.
  RunsService(Seat& seat, WatchOptions watch) : seat_(seat), watch_(watch) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   const dayfly::v1::SubmitRequest* request,
                                   dayfly::v1::SubmitResponse* response) override;
  grpc::ServerUnaryReactor* Retry(grpc::CallbackServerContext* context,
                                  const dayfly::v1::RetryRequest* request,
                                  dayfly::v1::SubmitResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const dayfly::v1::GetRunRequest* request,
                                dayfly::v1::RunSummary* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const dayfly::v1::ListRunsRequest* request,
                                 dayfly::v1::ListRunsResponse* response) override;
  grpc::ServerWriteReactor<dayfly::v1::WatchResponse>* Watch(
      grpc::CallbackServerContext* context, const dayfly::v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* context,
                                   const dayfly::v1::CancelRequest* request,
                                   dayfly::v1::CancelResponse* response) override;
  grpc::ServerUnaryReactor* Approve(grpc::CallbackServerContext* context,
                                    const dayfly::v1::ApproveRequest* request,
                                    dayfly::v1::ApproveResponse* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const dayfly::v1::ExplainRequest* request,
                                    dayfly::v1::ExplainResponse* response) override;
  grpc::ServerUnaryReactor* ReadTests(grpc::CallbackServerContext* context,
                                      const dayfly::v1::ReadTestsRequest* request,
                                      dayfly::v1::ReadTestsResponse* response) override;
  grpc::ServerUnaryReactor* ListDeployments(grpc::CallbackServerContext* context,
                                            const dayfly::v1::ListDeploymentsRequest* request,
                                            dayfly::v1::ListDeploymentsResponse* response) override;

 private:
  Seat& seat_;
  WatchOptions watch_;
  std::atomic<int> watching_{0};
};

}  // namespace api::services
