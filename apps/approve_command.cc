// SPDX-License-Identifier: Apache-2.0
#include "apps/approve_command.h"

#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/standard_streams.h"
#include "engine/model/ids.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

base::StatusOr<ApprovalGiven> Given(const ApproveOptions& options) {
  ApprovalGiven given;
  given.job = options.job;
  given.approve = !options.reject;
  for (const std::string& input : options.inputs) {
    const std::size_t equals = input.find('=');
    if (equals == std::string::npos || equals == 0) {
      return base::InvalidArgument("--input {}: write name=value", input);
    }
    given.inputs.emplace_back(input.substr(0, equals), input.substr(equals + 1));
  }
  return given;
}

}  // namespace

int ApproveCommand(const ApproveOptions& options) {
  const auto given = Given(options);
  if (!given.ok()) {
    return Fail(given.status());
  }
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  const auto run = (*runs)->Approve(options.run, *given);
  if (!run.ok()) {
    return Fail(run.status());
  }
  Print(fmt::format("run {}: {} {}\n", model::ToText(*run), options.job,
                    options.reject ? "rejected" : "approved"));
  return kExitOk;
}

}  // namespace apps
