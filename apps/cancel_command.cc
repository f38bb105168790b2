// SPDX-License-Identifier: Apache-2.0
#include "apps/cancel_command.h"

#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/standard_streams.h"
#include "apps/view/summary.h"

namespace apps {

namespace model = engine::model;

int CancelCommand(const CancelOptions& options) {
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  const auto cancelled = (*runs)->Cancel(options.run, options.kill);
  if (!cancelled.ok()) {
    return Fail(cancelled.status());
  }
  const std::string id = model::ToText(cancelled->run);
  if (model::IsFinal(cancelled->status)) {
    Print(fmt::format("run {} is over already: {}\n", id, view::Words(cancelled->status)));
  } else {
    Print(fmt::format("run {}: {}\n", id, options.kill ? "killing" : "cancelling"));
  }
  return kExitOk;
}

}  // namespace apps
