// SPDX-License-Identifier: Apache-2.0
// Readers for the keys of a job's files: `artifacts` with its test reports, `cache`, and `reuse`.
// Each reports what is wrong; what it leaves in the spec is usable all the same. Nodes are not
// empty.
#pragma once

#include "dsl/compilation.h"
#include "dsl/expressions.h"
#include "engine/model/plan.h"

namespace dsl {

void ReadArtifacts(NodeRef node, const JobNames& names, engine::model::JobSpec& spec,
                   Compilation& compilation);
void ReadReuse(NodeRef node, engine::model::JobSpec& spec, Compilation& compilation);
/// One cache or a list of them.
void ReadCaches(NodeRef node, const JobNames& names, engine::model::JobSpec& spec,
                Compilation& compilation);

}  // namespace dsl
