// SPDX-License-Identifier: Apache-2.0
// `dayfly server`: serves until it is told to stop.
#pragma once

#include "apps/server_options.h"

namespace apps::network {

int ServerCommand(const ServerOptions& options);

}  // namespace apps::network
