// SPDX-License-Identifier: Apache-2.0
// `dayfly server init`: a folder with all that a first server needs.
#pragma once

#include "apps/server_options.h"

namespace apps::network {

int ServerInitCommand(const ServerOptions& options);

}  // namespace apps::network
