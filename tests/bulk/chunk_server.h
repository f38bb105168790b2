// SPDX-License-Identifier: Apache-2.0
// A server of chunks over real gRPC on a socket file, that can be killed and started again.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "api/bulk/chunk_service.h"
#include "engine/base/check.h"

namespace tests::bulk {

inline const engine::model::WorkerId kWorker(7);

class ChunkServer {
 public:
  ChunkServer(std::string socket, api::bulk::ChunkServiceOptions options)
      : address_("unix:" + std::move(socket)), options_(std::move(options)) {
    if (!options_.caller_of) {
      options_.caller_of = [](auto&) { return kWorker; };
    }
    Start();
  }
  ~ChunkServer() { Stop(); }

  void Restart() {
    Stop();
    Start();
  }

  std::shared_ptr<grpc::Channel> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
  }

 private:
  void Start() {
    service_ = std::make_unique<api::bulk::ChunkService>(options_);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    CHECK(server_ != nullptr);
  }
  /// All calls end at once.
  void Stop() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
    service_.reset();
  }

  const std::string address_;
  api::bulk::ChunkServiceOptions options_;
  std::unique_ptr<api::bulk::ChunkService> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tests::bulk
