// SPDX-License-Identifier: Apache-2.0
// What the expressions of a job name.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agents/runner/compiled_spec.h"
#include "engine/expr/expression.h"

namespace agents::runner {

/// Each path once; see `engine::expr::Reference`.
class References {
 public:
  void Of(const MaybeTemplate& text);
  void Of(const std::vector<MaybeTemplate>& texts);
  void Of(const CompiledStep& step);
  void Of(const CompiledReady& ready);
  void Of(const CompiledCache& cache);

  const std::set<std::vector<std::string>>& paths() const { return paths_; }

 private:
  void Add(const std::vector<engine::expr::Reference>& references);

  std::set<std::vector<std::string>> paths_;
};

}  // namespace agents::runner
