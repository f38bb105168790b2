// SPDX-License-Identifier: Apache-2.0
// The commands that need a server, or are one.
#pragma once

#include "apps/command_line.h"

namespace apps {

void AddServerCommands(CommandLine& line);

}  // namespace apps
