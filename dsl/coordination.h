// SPDX-License-Identifier: Apache-2.0
// Readers for the keys that say when a job may begin although its needs are met. Each reports what
// is wrong; what it returns is usable all the same. Nodes are not empty.
#pragma once

#include <optional>
#include <vector>

#include "dsl/compilation.h"
#include "dsl/expressions.h"
#include "engine/model/plan.h"

namespace dsl {

/// One group or a list of them; `names` is null for the document's.
std::vector<engine::model::ConcurrencySpec> ReadConcurrency(NodeRef node, Site site,
                                                            const JobNames* names,
                                                            Compilation& compilation);
/// Nothing for `false`.
std::optional<engine::model::ApprovalSpec> ReadApproval(NodeRef node, Compilation& compilation);
std::optional<engine::model::EnvironmentSpec> ReadEnvironment(NodeRef node, const JobNames* names,
                                                              Compilation& compilation);
bool ReadOverlapNever(NodeRef node, Compilation& compilation);

}  // namespace dsl
