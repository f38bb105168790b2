// SPDX-License-Identifier: Apache-2.0
// `dayfly runs`: the newest runs kept on this machine.
#pragma once

#include <cstdint>
#include <string>

namespace apps {

struct RunsOptions {
  std::uint32_t limit = 20;
  std::string format = "text";  ///< `text json ids`
  std::string server;  ///< empty: as the environment or `client.yml` say, else this machine
};

int RunsCommand(const RunsOptions& options);

}  // namespace apps
