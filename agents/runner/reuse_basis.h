// SPDX-License-Identifier: Apache-2.0
// What decides, besides files, whether an earlier result of a job with `reuse` stands.
#pragma once

#include <string>

#include "agents/runner/compiled_spec.h"
#include "engine/expr/expression.h"
#include "engine/model/effect.h"

namespace agents::runner {

/// Bytes that differ whenever the job may give another result: its commands and their settings, the
/// variables it declares, what its artifacts and outputs are made of, and the value of each context
/// that its expressions read. Secrets count by name, not by value; timeouts, retries, pool and the
/// like do not count, nor do artifacts it is given: their files do, where they are inputs. Pure.
std::string ReuseBasis(const CompiledSpec& spec, const engine::model::Assignment& assignment,
                       const engine::expr::Scope& scope);

}  // namespace agents::runner
