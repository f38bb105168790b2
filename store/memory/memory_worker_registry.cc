// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_worker_registry.h"

namespace store::memory {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

base::Status MemoryWorkerRegistry::AddGrant(const ports::JoinGrant& grant) {
  const std::lock_guard lock(mutex_);
  return grants_.emplace(grant.token, grant).second ? base::OkStatus()
                                                    : base::AlreadyExists("the token is known");
}

base::StatusOr<ports::RegisteredWorker> MemoryWorkerRegistry::Redeem(const base::Digest& token,
                                                                     base::Instant now,
                                                                     model::WorkerId worker,
                                                                     const std::string& host) {
  const std::lock_guard lock(mutex_);
  std::erase_if(grants_, [now](const auto& entry) { return entry.second.expires_at <= now; });
  const auto grant = grants_.find(token);
  if (grant == grants_.end()) {
    return base::NotFound("no such token");
  }
  const auto [entry, is_new] = workers_.try_emplace(worker);
  if (!is_new) {
    return base::AlreadyExists("worker {} exists", worker.value());
  }
  entry->second = {.worker = worker,
                   .launch = grant->second.launch,
                   .pool = grant->second.pool,
                   .host = host,
                   .joined_at = now,
                   .retired = false};
  grants_.erase(grant);
  return entry->second;
}

base::Status MemoryWorkerRegistry::Retire(model::WorkerId worker) {
  const std::lock_guard lock(mutex_);
  const auto found = workers_.find(worker);
  if (found == workers_.end()) {
    return base::NotFound("no worker {}", worker.value());
  }
  found->second.retired = true;
  return base::OkStatus();
}

base::StatusOr<ports::RegisteredWorker> MemoryWorkerRegistry::Find(model::WorkerId worker) {
  const std::lock_guard lock(mutex_);
  const auto found = workers_.find(worker);
  if (found == workers_.end()) {
    return base::NotFound("no worker {}", worker.value());
  }
  return found->second;
}

base::StatusOr<std::vector<ports::RegisteredWorker>> MemoryWorkerRegistry::Workers() {
  const std::lock_guard lock(mutex_);
  std::vector<ports::RegisteredWorker> all;
  for (const auto& [id, worker] : workers_) {
    if (!worker.retired) {
      all.push_back(worker);
    }
  }
  return all;
}

}  // namespace store::memory
