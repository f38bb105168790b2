// SPDX-License-Identifier: Apache-2.0
// `dayfly agent`: the program on a worker. It dials its server, runs what it is given, and goes on
// after its own death where it was.
#pragma once

#include "apps/server_options.h"

namespace apps::network {

int AgentCommand(const AgentOptions& options);

}  // namespace apps::network
