// SPDX-License-Identifier: Apache-2.0
// `dayfly explain`: why a job waits now, or how it came to its end.
#pragma once

#include <string>

namespace apps {

struct ExplainOptions {
  std::string run;
  std::string job;  ///< empty: every job that is not final; of a run that is over, those in trouble
  std::string format = "text";  ///< `text json`
  std::string server;  ///< empty: as the environment or `client.yml` say, else this machine
};

int ExplainCommand(const ExplainOptions& options);

}  // namespace apps
