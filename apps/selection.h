// SPDX-License-Identifier: Apache-2.0
// `--only`: which jobs a run leaves out. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/plan.h"

namespace apps {

/// What is neither in `names` (jobs as written) nor needed by them, directly or not; ascending. A
/// stage pulls nothing in: its other jobs count as skipped. Empty `names`: nothing is left out.
/// `InvalidArgument` for an unknown name, with a hint, and for a single cell of a matrix.
engine::base::StatusOr<std::vector<engine::model::SpecIndex>> NotSelected(
    const engine::model::Plan& plan, const std::vector<std::string>& names);

}  // namespace apps
