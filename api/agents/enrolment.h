// SPDX-License-Identifier: Apache-2.0
// Who gets a certificate: join tokens become workers, workers' certificates become newer ones.
// Without gRPC; blocks as long as the registry does; safe to call from several threads. Time and
// numbers are drawn by the caller.
#pragma once

#include <cstdint>
#include <string>

#include "api/wire/certificates.h"
#include "api/wire/join_token.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/ports/worker_registry.h"

namespace api::agents {

struct Enrolled {
  engine::model::WorkerId worker;
  std::string pool;
  std::string certificate;  ///< PEM
  std::string authority;    ///< PEM
};

class Enrolment {
 public:
  /// `registry` outlives this.
  Enrolment(wire::KeyPair authority, engine::ports::WorkerRegistry& registry)
      : authority_(std::move(authority)), registry_(registry) {}

  /// A token for one worker of `pool`, good for five minutes. `launch` is empty for one that
  /// somebody starts by hand.
  engine::base::StatusOr<std::string> MakeToken(const std::string& pool, const std::string& launch,
                                                engine::base::Instant now);

  struct Application {
    std::string join_token;
    std::string certificate_request;
    std::string host;
  };
  /// `PermissionDenied`: the token is wrong, used or expired (which of them is not said).
  /// `InvalidArgument`: the request is none; the token is still good. `draw` gives fresh random
  /// numbers for the worker's id.
  engine::base::StatusOr<Enrolled> Register(const Application& application,
                                            engine::base::Instant now, std::uint64_t draw);

  /// `PermissionDenied`: there is no such worker (any more).
  engine::base::StatusOr<Enrolled> Renew(engine::model::WorkerId worker,
                                         const std::string& certificate_request,
                                         engine::base::Instant now);

  /// The worker behind a certificate. `PermissionDenied` as above.
  engine::base::StatusOr<engine::ports::RegisteredWorker> Admit(engine::model::WorkerId worker);

  const std::string& authority() const { return authority_.certificate; }

 private:
  engine::base::StatusOr<Enrolled> Sign(const engine::ports::RegisteredWorker& worker,
                                        const std::string& request, engine::base::Instant now);

  wire::KeyPair authority_;
  engine::ports::WorkerRegistry& registry_;
};

/// Workers' numbers sort by age: 44 bits of milliseconds, then 20 random bits.
engine::model::WorkerId WorkerIdFrom(engine::base::Instant now, std::uint64_t draw);

}  // namespace api::agents
