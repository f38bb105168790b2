// SPDX-License-Identifier: Apache-2.0
// `dayfly validate`: every problem of the given pipelines at once.
#pragma once

#include <string>
#include <vector>

namespace apps {

struct ValidateOptions {
  std::vector<std::string> files;  ///< none: all in `.dayfly`
  std::string format = "text";     ///< `text json`
  bool schema = false;             ///< prints the language's JSON Schema instead
};

int ValidateCommand(const ValidateOptions& options);

}  // namespace apps
