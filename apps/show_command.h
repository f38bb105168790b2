// SPDX-License-Identifier: Apache-2.0
// `dayfly show`: what is recorded of a run: jobs, attempts, steps, durations, reasons.
#pragma once

#include <string>

namespace apps {

struct ShowOptions {
  std::string run;
  std::string format = "text";  ///< `text json`
  bool tests = false;           ///< what its test reports say, in place of the jobs
  bool annotations = false;     ///< what its steps said about places in files, in place of the jobs
  std::string server;  ///< empty: as the environment or `client.yml` say, else this machine
};

int ShowCommand(const ShowOptions& options);

}  // namespace apps
