// SPDX-License-Identifier: Apache-2.0
// Source to plan: parse, check, expand, compile. Every problem is found in one go, each with its
// exact place; nothing that is written is ignored in silence. Pure but for the loader; no state
// between calls; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dsl/diagnostic.h"
#include "dsl/origins.h"
#include "dsl/source_loader.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"

namespace dsl {

/// What the plan is for. A key that a later build will support is an error for `kRun` and a warning
/// otherwise.
enum class Purpose : std::uint8_t { kRun, kPlan, kValidate };

struct CompileOptions {
  Purpose purpose = Purpose::kRun;
  std::uint32_t includes_max = 500;
  std::uint32_t jobs_max = engine::model::DefaultSettings().jobs_max;
  std::uint32_t diagnostics_max = 1000;  ///< further ones are counted in a last one
  std::string explain_job;               ///< fills in `Compiled::origins`
  std::vector<std::string> pools;        ///< those that exist; empty: that is not checked
  /// Whatever pool a job names, its worker is this machine: the plan names none.
  bool one_pool = false;
};

struct Compiled {
  engine::model::PlanRef plan;          ///< null when there is any error
  std::vector<Diagnostic> diagnostics;  ///< by position
  std::vector<ValueOrigin> origins;     ///< of the values of `explain_job`
};

Compiled Compile(const std::string& path, SourceLoader& loader, const CompileOptions& options = {});

/// What a run's `inputs` context holds: the given values with their types checked, the others'
/// defaults, in the plan's order. Or all that is wrong with the given ones.
using ResolvedInputs =
    std::variant<std::vector<engine::model::NamedValue>, std::vector<Diagnostic>>;
ResolvedInputs ResolveInputs(const engine::model::Plan& plan,
                             std::span<const std::pair<std::string, std::string>> given);

/// The same for other inputs of the plan: an approval's. `whose` stands in messages.
ResolvedInputs ResolveInputs(const engine::model::Plan& plan,
                             std::span<const engine::model::InputSpec> inputs,
                             std::string_view whose,
                             std::span<const std::pair<std::string, std::string>> given);

}  // namespace dsl
