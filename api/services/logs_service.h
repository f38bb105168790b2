// SPDX-License-Identifier: Apache-2.0
// The service `Logs`: reads what the server's log store hands out. Bytes go from its threads to
// gRPC's, past the engine, which only says which run is meant and when nothing more will come.
#pragma once

#include <atomic>

#include "api/services/seat.h"
#include "api/services/watch_stream.h"
#include "api/wire/logs.grpc.pb.h"
#include "engine/ports/log_feed.h"

namespace api::services {

class LogsService final : public dayfly::v1::Logs::CallbackService {
 public:
  /// Both outlive the server that this is registered with.
  LogsService(Seat& seat, engine::ports::LogFeed& logs, WatchOptions options)
      : seat_(seat), logs_(logs), options_(options) {}

  grpc::ServerWriteReactor<dayfly::v1::ReadLogsResponse>* Read(
      grpc::CallbackServerContext* context, const dayfly::v1::ReadLogsRequest* request) override;

 private:
  Seat& seat_;
  engine::ports::LogFeed& logs_;
  WatchOptions options_;
  std::atomic<int> reading_{0};
};

}  // namespace api::services
