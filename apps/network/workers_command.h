// SPDX-License-Identifier: Apache-2.0
// `dayfly workers` and `dayfly pools`.
#pragma once

#include "apps/server_options.h"

namespace apps::network {

int WorkersCommand(const WorkersOptions& options);
int PoolsCommand(const PoolsOptions& options);

}  // namespace apps::network
