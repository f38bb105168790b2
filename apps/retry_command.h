// SPDX-License-Identifier: Apache-2.0
// `dayfly retry`: a new run of the same plan with the same source and inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace apps {

struct RetryOptions {
  std::string run;
  bool failed = false;  ///< jobs that ended well keep their results and are not run again
  std::uint32_t workers = 0;
  std::string output;
  std::vector<std::string> secrets;
  bool stats = false;
  std::string key;     ///< at a server: makes the call repeatable
  bool watch = false;  ///< at a server
  std::string server;  ///< empty: as the environment or `client.yml` say, else this machine
};

int RetryCommand(const RetryOptions& options);

}  // namespace apps
