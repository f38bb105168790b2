// SPDX-License-Identifier: Apache-2.0
// The part of the program that speaks gRPC and PostgreSQL. It is linked into a program of its own,
// `dayfly-network`, which `dayfly` turns into when a command needs it: those libraries cost several
// times the start of all the rest, and neither `dayfly run` nor its keepers ever use them.
#pragma once

#include <memory>

#include "apps/client_config.h"
#include "apps/retry_command.h"
#include "apps/run_access.h"
#include "apps/server_options.h"
#include "apps/submit_options.h"
#include "engine/base/status.h"

namespace apps {

/// What it offers. Each function returns the exit code of its command.
struct NetworkPart {
  int (*server)(const ServerOptions&);
  int (*server_init)(const ServerOptions&);
  int (*submit)(const SubmitOptions&);
  int (*watch)(const WatchOptions&);
  int (*retry)(const RetryOptions&);
  int (*workers)(const WorkersOptions&);
  int (*pools)(const PoolsOptions&);
  int (*agent)(const AgentOptions&);
  engine::base::StatusOr<std::unique_ptr<RunAccess>> (*open_runs)(const ServerChoice&);
};

/// For `main` of `dayfly-network`: it has the part. `part` stays.
void UseNetworkPart(const NetworkPart& part);

/// The part, if this program has it. Otherwise this process becomes `dayfly-network` and begins
/// anew with the same arguments: call it before anything was done. `FailedPrecondition` when there
/// is no such program.
engine::base::StatusOr<const NetworkPart*> NeedNetworkPart();

/// Says so; exit code 3.
int ReportNoNetworkPart(const engine::base::Status& status);

/// Runs one of its commands.
template <typename Options>
int RunNetworkCommand(int (*NetworkPart::*command)(const Options&), const Options& options) {
  const auto part = NeedNetworkPart();
  return part.ok() ? ((*part)->*command)(options) : ReportNoNetworkPart(part.status());
}

}  // namespace apps
