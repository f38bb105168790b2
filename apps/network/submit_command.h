// SPDX-License-Identifier: Apache-2.0
// `dayfly submit`, `watch`, and `retry` at a server.
#pragma once

#include "apps/retry_command.h"
#include "apps/submit_options.h"

namespace apps::network {

int SubmitCommand(const SubmitOptions& options);
int WatchCommand(const WatchOptions& options);
int RetryCommand(const apps::RetryOptions& options);

}  // namespace apps::network
