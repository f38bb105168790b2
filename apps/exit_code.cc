// SPDX-License-Identifier: Apache-2.0
#include "apps/exit_code.h"

#include <cstdio>

namespace apps {

ExitCode ExitCodeOf(engine::model::Status run_status) {
  switch (run_status) {
    case engine::model::Status::kSucceeded:
    case engine::model::Status::kWarned:
    case engine::model::Status::kSkipped:
      return kExitOk;
    case engine::model::Status::kFailed:
    case engine::model::Status::kCancelled:
    case engine::model::Status::kTimedOut:
      return kExitFailed;
    case engine::model::Status::kWaiting:
    case engine::model::Status::kReady:
    case engine::model::Status::kRunning:
      break;
  }
  return kExitEngine;
}

ExitCode ExitCodeOf(const engine::base::Status& status) {
  const absl::StatusCode code = status.code();
  if (code == absl::StatusCode::kOk) {
    return kExitOk;
  }
  const bool by_caller =
      code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kNotFound ||
      code == absl::StatusCode::kAlreadyExists || code == absl::StatusCode::kUnimplemented;
  return by_caller ? kExitInvalid : kExitEngine;
}

int Fail(const engine::base::Status& status) {
  return Fail(ExitCodeOf(status), engine::base::Message(status));
}

int Fail(ExitCode code, std::string_view message) {
  const std::string line = fmt::format("dayfly: {}\n", message);
  std::fwrite(line.data(), 1, line.size(), stderr);
  return code;
}

}  // namespace apps
