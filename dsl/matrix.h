// SPDX-License-Identifier: Apache-2.0
// `matrix` (and its like, `parallel` and `for_each`): axes, what is left out and what is added, as
// the cells that come of it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dsl/compilation.h"
#include "dsl/document.h"
#include "dsl/expressions.h"
#include "engine/model/plan.h"

namespace dsl {

struct CompiledMatrix {
  std::unique_ptr<engine::model::MatrixSpec> spec;  ///< without `first_cell` and `cell_count`
  std::vector<std::vector<engine::model::JsonText>> cells;
};

/// Cells stand in the order of the axes, the last one changing fastest, then those that `include`
/// added. GitHub's rules: `exclude` first; an `include` is merged into every cell whose axes it
/// does not contradict, else it is a cell.
CompiledMatrix CompileMatrix(NodeRef node, Compilation& compilation);
/// `parallel: N`: so many cells with the keys `index`, from 1, and `total`.
CompiledMatrix CompileParallel(NodeRef node, Compilation& compilation);
/// `for_each`: one cell without values, which stands for those that are known at run time.
CompiledMatrix CompileForEach(NodeRef node, const JobNames& names, Compilation& compilation);

}  // namespace dsl
