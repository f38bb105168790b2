// SPDX-License-Identifier: Apache-2.0
#include "apps/logs_command.h"

#include <cstdio>

#include "apps/exit_code.h"
#include "apps/run_access.h"

namespace apps {

int LogsCommand(const LogsOptions& options) {
  if (!options.step.empty() && options.job.empty()) {
    return Fail(kExitInvalid, "name the job of the step, too");
  }
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  const engine::base::Status printed = (*runs)->PrintLogs(options);
  std::fflush(stdout);
  return printed.ok() ? kExitOk : Fail(printed);
}

}  // namespace apps
