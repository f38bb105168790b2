// SPDX-License-Identifier: Apache-2.0
// What job-level expressions see: `inputs env matrix needs jobs approval run commit branch tag
// event`, and the status functions over the job's needs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/state.h"
#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"
#include "engine/expr/status_functions.h"
#include "engine/model/effect.h"
#include "engine/model/ids.h"
#include "engine/model/run_context.h"

namespace engine::core {

/// Contexts that are the same in a whole run. `env` is the document's, already evaluated; the
/// values of `--env-file` go before it.
expr::Object RunContexts(model::RunId run, const model::Plan& plan,
                         const model::RunContext& context,
                         const std::vector<model::NamedValue>& env);

/// The `needs` context: name -> {result, outputs}.
expr::Value NeedsContext(const model::Plan& plan, const std::vector<model::NeedResult>& needs);

/// The values of a matrix's cell, which is `each` when it comes of `for_each` and `matrix` when
/// not; an empty object for a job without one.
expr::Value CellContext(const model::Plan& plan, model::JobIndex job);
bool IsEach(const model::JobSpec& spec);

/// The `approval` context: {by, inputs}.
expr::Value ApprovalContext(const model::Approval& approval);

/// A run's contexts and what one spec or cell adds to them. Borrows the run's.
class JobScope : public expr::Scope {
 public:
  JobScope(const expr::Object& run_contexts, const expr::StatusView& view)
      : run_contexts_(run_contexts), view_(view) {}

  void Set(std::string name, expr::Value value);
  const expr::Value* Context(std::string_view name) const override;
  std::vector<std::string> ContextNames() const override;
  std::optional<expr::Result<expr::Value>> CallHost(
      std::string_view function, std::span<const expr::Value> arguments) const override;

 private:
  const expr::Object& run_contexts_;
  expr::StatusView view_;
  expr::Object own_;
};

/// The document's `env`, evaluated before the run is accepted; values are JSON strings. An error
/// names the variable.
base::StatusOr<std::vector<model::NamedValue>> EvaluateRunEnv(const model::Plan& plan,
                                                              const model::RunContext& context,
                                                              model::RunId run);

}  // namespace engine::core
