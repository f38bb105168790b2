// SPDX-License-Identifier: Apache-2.0
// How a step's script is started. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace agents::runner {

/// Largest script that is handed over as an argument; the kernel refuses arguments of 128 KiB.
inline constexpr std::size_t kInlineScriptMax = 96U << 10;

struct ShellCall {
  std::vector<std::string> argv;
  /// The script must stand in the file `script_path` first.
  bool needs_file = false;
};

/// `shell` as in `StepSpec::shell`: empty and `sh` are `/bin/sh -e`, `bash` is
/// `bash -eo pipefail`; anything else is a command, split at spaces (quotes keep words together),
/// in which `{0}` stands for the script's path, or which gets the path as its last argument.
/// `InvalidArgument` when its quotes do not end.
engine::base::StatusOr<ShellCall> PlanShellCall(std::string_view shell, std::string_view script,
                                                const std::string& script_path);

/// The same call behind a command that tells whether its effect is there already: with exit code 0
/// the call is not made, with 1 it is, any other one is the step's own.
std::vector<std::string> BehindCheck(const std::string& check, std::vector<std::string> argv);

}  // namespace agents::runner
