// SPDX-License-Identifier: Apache-2.0
// Jobs by the names that people give: `--only`, and one job of a run. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/plan.h"

namespace dsl {

/// What is neither in `names` (jobs as written) nor needed by them, directly or not; ascending. A
/// stage pulls nothing in: its other jobs count as skipped. Empty `names`: nothing is left out.
/// `InvalidArgument` for an unknown name, with a hint, and for a single cell of a matrix.
engine::base::StatusOr<std::vector<engine::model::SpecIndex>> NotSelected(
    const engine::model::Plan& plan, const std::vector<std::string>& names);

/// The jobs that `name` means: a job, a cell as `name[value]`, or all cells of a matrix. `NotFound`
/// with a hint.
engine::base::StatusOr<std::vector<engine::model::JobIndex>> FindJobs(
    const engine::model::Plan& plan, std::string_view name);

}  // namespace dsl
