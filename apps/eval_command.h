// SPDX-License-Identifier: Apache-2.0
// `dayfly eval`: the value of one expression as JSON.
#pragma once

#include <string>

namespace apps {

struct EvalOptions {
  std::string context_file;  ///< JSON object: its members are the contexts
  std::string expression;    ///< with or without `${{ }}`
};

int EvalCommand(const EvalOptions& options);

}  // namespace apps
