// SPDX-License-Identifier: Apache-2.0
// `dayfly deployments`: what was brought to environments, by which runs, and how that went.
#pragma once

#include <cstdint>
#include <string>

namespace apps {

struct DeploymentsOptions {
  std::string environment;  ///< empty: all, each with what it has now
  std::uint32_t limit = 20;
  std::string format = "text";  ///< `text json`
  std::string server;  ///< empty: as the environment or `client.yml` say, else this machine
};

int DeploymentsCommand(const DeploymentsOptions& options);

}  // namespace apps
