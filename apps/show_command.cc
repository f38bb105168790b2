// SPDX-License-Identifier: Apache-2.0
#include "apps/show_command.h"

#include <cstdio>
#include <unistd.h>

#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/terminal.h"
#include "apps/view/run_details.h"

namespace apps {

int ShowCommand(const ShowOptions& options) {
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  const auto run = (*runs)->Read(options.run);
  if (!run.ok()) {
    return Fail(run.status());
  }
  const std::string out =
      options.format == "json"
          ? view::RunDetailsJson(run->board, WallClock(), run->alive)
          : view::RunDetailsText(run->board, WallClock(), run->alive, LookOf(STDOUT_FILENO));
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

}  // namespace apps
