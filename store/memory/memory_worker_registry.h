// SPDX-License-Identifier: Apache-2.0
// `WorkerRegistry` in memory: for tests, and for a server whose workers die with it.
#pragma once

#include <map>
#include <mutex>

#include "engine/ports/worker_registry.h"

namespace store::memory {

class MemoryWorkerRegistry : public engine::ports::WorkerRegistry {
 public:
  engine::base::Status AddGrant(const engine::ports::JoinGrant& grant) override;
  engine::base::StatusOr<engine::ports::RegisteredWorker> Redeem(const engine::base::Digest& token,
                                                                 engine::base::Instant now,
                                                                 engine::model::WorkerId worker,
                                                                 const std::string& host) override;
  engine::base::Status Retire(engine::model::WorkerId worker) override;
  engine::base::StatusOr<engine::ports::RegisteredWorker> Find(
      engine::model::WorkerId worker) override;
  engine::base::StatusOr<std::vector<engine::ports::RegisteredWorker>> Workers() override;

 private:
  std::mutex mutex_;
  std::map<engine::base::Digest, engine::ports::JoinGrant> grants_;
  std::map<engine::model::WorkerId, engine::ports::RegisteredWorker> workers_;
};

}  // namespace store::memory
