// SPDX-License-Identifier: Apache-2.0
// `submit --upload`: the working tree as it stands becomes the run's source.
#pragma once

#include "api/client/connection.h"
#include "apps/submit_source.h"
#include "engine/base/status.h"

namespace apps::network {

/// Records the working tree around the current folder as `dayfly run` does (tracked and untracked
/// files that are not ignored, never `.git`), and sends the server what it does not have of it.
/// What was left out is said on standard error.
engine::base::StatusOr<SubmitSource> UploadWorkingTree(api::client::Connection& connection);

}  // namespace apps::network
