// SPDX-License-Identifier: Apache-2.0
// The runs in this user's state folder.
#pragma once

#include <memory>

#include "apps/run_access.h"

namespace apps {

engine::base::StatusOr<std::unique_ptr<RunAccess>> OpenLocalRuns();

}  // namespace apps
