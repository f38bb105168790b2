// SPDX-License-Identifier: Apache-2.0
// `dayfly approve`: answers a job that asks.
#pragma once

#include <string>
#include <vector>

namespace apps {

struct ApproveOptions {
  std::string run;
  std::string job;
  bool reject = false;
  std::vector<std::string> inputs;  ///< `name=value`
  std::string server;  ///< empty: as the environment or `client.yml` say, else this machine
};

int ApproveCommand(const ApproveOptions& options);

}  // namespace apps
