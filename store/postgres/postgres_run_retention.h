// SPDX-License-Identifier: Apache-2.0
// Drops old days from PostgreSQL, partition by partition. A day whose tables somebody has just then
// stays until the next time: nobody who commits waits longer than a moment.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/ports/run_retention.h"

namespace store::postgres {

struct RunRetentionOptions {
  std::string conninfo;  ///< as in `RunStoreOptions`
  engine::base::Duration network_timeout = std::chrono::seconds(5);
};

/// Connects when it is used, anew each time the connection broke.
std::unique_ptr<engine::ports::RunRetention> MakePostgresRunRetention(RunRetentionOptions options);

}  // namespace store::postgres
