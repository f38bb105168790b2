// SPDX-License-Identifier: Apache-2.0
// Tree and scope to value. Internal to `engine/expr`; others use `Expression::Evaluate`.
#pragma once

#include "engine/expr/ast.h"
#include "engine/expr/expression.h"

namespace engine::expr {

Result<Value> EvaluateTree(const ast::Node& root, const Scope& scope);

}  // namespace engine::expr
