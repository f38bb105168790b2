// SPDX-License-Identifier: Apache-2.0
#include "apps/show_command.h"

#include <cstdio>
#include <unistd.h>

#include "apps/exit_code.h"
#include "apps/recorded_run.h"
#include "apps/run_lock.h"
#include "apps/terminal.h"
#include "apps/view/run_details.h"

namespace apps {

int ShowCommand(const ShowOptions& options) {
  const auto run = ReadRun(options.run);
  if (!run.ok()) {
    return Fail(run.status());
  }
  const bool alive = OwnerOf(run->folder).has_value();
  const std::string out =
      options.format == "json"
          ? view::RunDetailsJson(run->board, WallClock(), alive)
          : view::RunDetailsText(run->board, WallClock(), alive, LookOf(STDOUT_FILENO));
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

}  // namespace apps
