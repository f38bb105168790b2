// SPDX-License-Identifier: Apache-2.0
// Who may join, who has joined, who may never come back: join tokens and workers' identities,
// durable. Of a token only its SHA-256 is kept. Rarely called (once a worker and at a server's
// start), blocks, safe to call from several threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"

namespace engine::ports {

/// What a join token stands for.
struct JoinGrant {
  base::Digest token;  ///< SHA-256 of the token's secret part
  std::string launch;  ///< the launch it was made for; empty: made by hand
  std::string pool;
  base::Instant expires_at{};
};

struct RegisteredWorker {
  model::WorkerId worker;
  std::string launch;
  std::string pool;
  std::string host;  ///< as the agent named it; for people
  base::Instant joined_at{};
  bool retired = false;  ///< its certificates are refused
};

class WorkerRegistry {
 public:
  virtual ~WorkerRegistry() = default;

  /// `AlreadyExists` when the token is known.
  virtual base::Status AddGrant(const JoinGrant& grant) = 0;

  /// Uses the token up and makes the worker known, both or neither, once, whoever asks at the same
  /// moment. `NotFound`: no such token, used or expired at `now` (a caller learns no more than
  /// that). `AlreadyExists`: the worker's number is taken; draw another, the token is still good.
  virtual base::StatusOr<RegisteredWorker> Redeem(const base::Digest& token, base::Instant now,
                                                  model::WorkerId worker,
                                                  const std::string& host) = 0;

  /// For ever; repeats are harmless. `NotFound` when there is no such worker.
  virtual base::Status Retire(model::WorkerId worker) = 0;

  /// `NotFound` when there is no such worker.
  virtual base::StatusOr<RegisteredWorker> Find(model::WorkerId worker) = 0;

  /// All that are not retired, by number.
  virtual base::StatusOr<std::vector<RegisteredWorker>> Workers() = 0;
};

}  // namespace engine::ports
