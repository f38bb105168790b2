// SPDX-License-Identifier: Apache-2.0
// A job's expressions, parsed once and shared by all its cells and attempts.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/expr/expression.h"
#include "engine/model/plan.h"

namespace agents::runner {

/// Absent: the text holds no expression and stands for itself.
using MaybeTemplate = std::optional<engine::expr::TemplateText>;

struct CompiledStep {
  std::optional<engine::expr::Expression> condition;  ///< absent: the default
  MaybeTemplate run;
  MaybeTemplate workdir;
  MaybeTemplate effect_check;
  std::vector<MaybeTemplate> env;  ///< like `StepSpec::env`
  std::string error;               ///< not empty: it cannot be run; says why
};

struct CompiledCache {
  MaybeTemplate key;
  std::vector<MaybeTemplate> restore_keys;
  std::string error;  ///< not empty: it is left out; says why
};

struct CompiledReady {
  MaybeTemplate http;
  MaybeTemplate command;
  std::string error;  ///< not empty: it cannot be asked; says why
};

struct CompiledSpec {
  engine::model::PlanRef plan;  ///< keeps the two alive
  const engine::model::JobSpec* spec = nullptr;
  const engine::model::RareJobSettings* rare = nullptr;
  std::vector<CompiledStep> steps;          ///< the job's, then its `finally` steps
  std::vector<MaybeTemplate> env;           ///< like `JobSpec::env`
  std::vector<MaybeTemplate> outputs;       ///< like `RareJobSettings::outputs`
  std::vector<MaybeTemplate> upload_names;  ///< like `RareJobSettings::uploads`
  std::vector<CompiledReady> services;      ///< like `RareJobSettings::services`
  std::vector<CompiledCache> caches;        ///< like `RareJobSettings::caches`
  std::string error;                        ///< of `env`, `outputs`, `upload_names`

  const engine::model::StepSpec& step(std::size_t index) const {
    return index < spec->steps.size() ? spec->steps[index]
                                      : rare->finally_steps[index - spec->steps.size()];
  }
};

using CompiledSpecRef = std::shared_ptr<const CompiledSpec>;

CompiledSpecRef CompileSpec(const engine::model::PlanRef& plan, engine::model::SpecIndex spec);

/// The specs used last, compiled. A run's specs come one after the other, so a few are enough.
class SpecCache {
 public:
  static constexpr std::size_t kMost = 256;
  CompiledSpecRef Get(const engine::model::PlanRef& plan, engine::model::SpecIndex spec);

 private:
  std::map<std::pair<const engine::model::Plan*, engine::model::SpecIndex>, CompiledSpecRef>
      compiled_;
};

}  // namespace agents::runner
