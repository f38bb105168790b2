// SPDX-License-Identifier: Apache-2.0
// The server's ports: the operator's socket and, when it is wanted, TLS. Every service is
// registered here; who may call what is decided here, too.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/server.h>

#include "api/services/runs_service.h"
#include "api/services/seat.h"
#include "apps/server_config.h"
#include "engine/base/status.h"

namespace apps::network {

class ApiServer {
 public:
  /// Listens from here on; `FailedPrecondition` says what cannot be listened on or read. `more` are
  /// services beside those of runs; all outlive this.
  static engine::base::StatusOr<std::unique_ptr<ApiServer>> Start(const ServerConfig& config,
                                                                  api::services::Seat& seat,
                                                                  std::vector<grpc::Service*> more);
  /// Calls under way are cut off.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// Health: a standby is not serving.
  void SetServing(bool serving);
  /// `HOST:PORT` as it came to be; empty without TLS.
  const std::string& address() const { return address_; }

 private:
  explicit ApiServer(api::services::Seat& seat) : runs_(seat, {}) {}

  api::services::RunsService runs_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace apps::network
