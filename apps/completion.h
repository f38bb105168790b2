// SPDX-License-Identifier: Apache-2.0
// Completion scripts of shells, made from the tree of commands. Runs are asked for with `dayfly
// runs --format ids`.
#pragma once

#include <string>

#include "apps/command_line.h"

namespace apps {

/// `shell`: bash, zsh or fish.
std::string CompletionScript(const CommandLine& line, const std::string& shell);

}  // namespace apps
