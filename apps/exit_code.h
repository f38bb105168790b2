// SPDX-License-Identifier: Apache-2.0
// What `dayfly` tells its caller. The numbers are an interface (docs/cli.md).
#pragma once

#include "engine/base/status.h"
#include "engine/model/status.h"

namespace apps {

enum ExitCode : int {
  kExitOk = 0,       ///< succeeded or warned; the command did what was asked
  kExitFailed = 1,   ///< the run failed, timed out or was cancelled
  kExitInvalid = 2,  ///< the pipeline or the call is invalid; no such run
  kExitEngine = 3,   ///< the engine could not do it: disk full, state unreadable, …
};

ExitCode ExitCodeOf(engine::model::Status run_status);
/// Of an error that ends a command: the caller's mistake or ours.
ExitCode ExitCodeOf(const engine::base::Status& status);

/// `dayfly: <message>` on standard error; returns `ExitCodeOf(status)`.
int Fail(const engine::base::Status& status);
int Fail(ExitCode code, std::string_view message);

}  // namespace apps
