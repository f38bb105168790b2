// SPDX-License-Identifier: Apache-2.0
// `dayfly cancel`: ends a run that is under way, well or at once.
#pragma once

#include <string>

namespace apps {

struct CancelOptions {
  std::string run;
  bool kill = false;
  std::string server;  ///< empty: as the environment or `client.yml` say, else this machine
};

int CancelCommand(const CancelOptions& options);

}  // namespace apps
