// SPDX-License-Identifier: Apache-2.0
// A server's workers and pools. Calls block and follow the owner; one thread.
#pragma once

#include <string>
#include <vector>

#include "api/client/connection.h"
#include "api/wire/workers.pb.h"
#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace api::client {

class WorkerClient {
 public:
  explicit WorkerClient(Connection& connection) : connection_(connection) {}

  /// Of one pool, or of all.
  engine::base::StatusOr<std::vector<dayfly::v1::WorkerSummary>> Workers(const std::string& pool);
  engine::base::StatusOr<std::vector<dayfly::v1::PoolSummary>> Pools();
  engine::base::Status Drain(engine::model::WorkerId worker, bool stop_attempts,
                             const std::string& request_id);
  /// How many were wanted before.
  engine::base::StatusOr<std::uint32_t> Scale(const std::string& pool, std::uint32_t workers,
                                              const std::string& request_id);
  /// A secret.
  engine::base::StatusOr<std::string> MakeJoinToken(const std::string& pool);

 private:
  Connection& connection_;
};

}  // namespace api::client
