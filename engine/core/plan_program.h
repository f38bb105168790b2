// SPDX-License-Identifier: Apache-2.0
// A plan made ready to execute: its graph and its parsed job-level expressions, made once per plan
// and shared by its runs. Holds no state of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/expr/expression.h"
#include "engine/graph/job_graph.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"

namespace engine::core {

/// What a spec evaluates when its needs have ended.
struct SpecProgram {
  std::optional<expr::Expression> condition;                    ///< nothing: `success()`
  std::optional<expr::Expression> list;                         ///< of `for_each`
  std::vector<std::pair<std::size_t, expr::TemplateText>> env;  ///< index into `JobSpec::env`
  std::vector<expr::TemplateText> groups;  ///< as `RareJobSettings::concurrency`
  std::optional<expr::TemplateText> environment;
  std::optional<expr::TemplateText> environment_url;
  bool uses_needs = false;       ///< reads `needs` (or `jobs`), which costs something to build
  bool list_uses_needs = false;  ///< so does `list`, which is asked once, not for each cell
  std::string error;             ///< an expression does not parse
};

/// Where jobs of a plan run: their pool, and what they ask of a worker of it.
struct PlanPlace {
  std::string_view pool;  ///< into the plan, as `need`
  const model::PlaceNeed* need = nullptr;
};

class PlanProgram {
 public:
  /// `InvalidArgument` when the plan is not well formed; see `graph::JobGraph::Build`.
  static base::StatusOr<std::shared_ptr<PlanProgram>> Make(model::PlanRef plan);

  const model::PlanRef& plan() const { return plan_; }
  const graph::JobGraph& graph() const { return *graph_; }
  /// The different ones of its jobs, at least one, and which of them a spec's is. They stay the
  /// same when the plan grows.
  const std::vector<PlanPlace>& places() const { return places_; }
  std::uint32_t PlaceOf(model::SpecIndex spec) const {
    return places_.size() == 1 ? 0 : place_of_[base::AsIndex(spec)];
  }
  /// Parsed when first asked for.
  const SpecProgram& Of(model::SpecIndex spec);

 private:
  PlanProgram(model::PlanRef plan, std::shared_ptr<const graph::JobGraph> graph);

  model::PlanRef plan_;
  std::shared_ptr<const graph::JobGraph> graph_;
  std::vector<PlanPlace> places_;        ///< in order of pool and need
  std::vector<std::uint32_t> place_of_;  ///< per spec; empty when there is one place
  std::vector<std::unique_ptr<SpecProgram>> specs_;
};

}  // namespace engine::core
