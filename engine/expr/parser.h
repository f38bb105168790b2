// SPDX-License-Identifier: Apache-2.0
// Text to tree. Internal to `engine/expr`; others use `Expression::Parse`.
#pragma once

#include <string_view>

#include "engine/expr/ast.h"
#include "engine/expr/expression.h"

namespace engine::expr {

Result<ast::NodePtr> ParseText(std::string_view text);

}  // namespace engine::expr
