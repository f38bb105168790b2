// SPDX-License-Identifier: Apache-2.0
// Texts with expressions and conditions: parsed, and checked by `ExpressionChecker`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/compilation.h"
#include "dsl/document.h"
#include "engine/model/plan.h"

namespace dsl {

/// Where an expression stands decides what it may read.
enum class Site : std::uint8_t {
  kDocument,  ///< before any job
  kJob,       ///< once the needs have ended
  kList,      ///< as `kJob`, before there are cells
  kJobCondition,
  kStep,  ///< on the worker
  kStepCondition,
  kResult,  ///< on the worker, after the steps
};

/// A step's id and when it runs.
struct StepName {
  std::string_view id;
  std::size_t position = 0;
  bool background = false;
};

/// What a job's expressions may name.
struct JobNames {
  engine::model::SpecIndex self;
  const engine::model::JobSpec* spec = nullptr;  ///< its needs and its matrix
  std::vector<StepName> steps;
  std::size_t step = 0;       ///< the position of the one that is read now
  std::size_t steps_end = 0;  ///< the first position behind the job's steps: `finally`
};

/// `names` is null at document level. What is wrong is reported; the result is usable all the same.
engine::model::Template ReadTemplate(NodeRef node, Site site, const JobNames* names,
                                     Compilation& compilation);
engine::model::Condition ReadCondition(NodeRef node, Site site, const JobNames* names,
                                       Compilation& compilation);
/// The expression of a `for_each`; never decides alone.
engine::model::Condition ReadList(NodeRef node, const JobNames* names, Compilation& compilation);
/// Adds a map's variables; one that is there already gets the new value. `what` is the key, for
/// messages.
void ReadVariables(NodeRef map, std::string_view what, Site site, const JobNames* names,
                   Compilation& compilation, std::vector<engine::model::EnvVar>& variables);

}  // namespace dsl
