// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression.h"

#include <algorithm>

#include "engine/base/overloaded.h"
#include "engine/expr/ast.h"
#include "engine/expr/evaluator.h"
#include "engine/expr/parser.h"

namespace engine::expr {
namespace {

using ast::Node;

// Calls `visit` on every node, parents first, in the order of the text.
template <typename Visit>
void Walk(const Node& node, const Visit& visit) {
  visit(node);
  const auto all = [&](const std::vector<ast::NodePtr>& nodes) {
    for (const ast::NodePtr& child : nodes) {
      Walk(*child, visit);
    }
  };
  std::visit(base::Overloaded{
                 [](const ast::Literal&) {},
                 [](const ast::Context&) {},
                 [&](const ast::Access& access) {
                   Walk(*access.base, visit);
                   for (const ast::Accessor& accessor : access.path) {
                     if (accessor.index != nullptr) {
                       Walk(*accessor.index, visit);
                     }
                   }
                 },
                 [&](const ast::Call& call) { all(call.arguments); },
                 [&](const ast::Not& inverted) { Walk(*inverted.operand, visit); },
                 [&](const ast::Logical& logical) { all(logical.operands); },
                 [&](const ast::Comparison& comparison) {
                   Walk(*comparison.first, visit);
                   for (const auto& [comparator, operand] : comparison.rest) {
                     Walk(*operand, visit);
                   }
                 },
             },
             node.what);
}

// The name that `accessor` stands for whatever the contexts hold; nothing when it is computed or
// filtered.
std::optional<std::string> StaticName(const ast::Accessor& accessor) {
  if (accessor.kind == ast::Accessor::Kind::kProperty) {
    return accessor.name;
  }
  if (accessor.kind == ast::Accessor::Kind::kWildcard) {
    return std::nullopt;
  }
  const auto* literal = std::get_if<ast::Literal>(&accessor.index->what);
  return literal == nullptr ? std::nullopt : std::optional(literal->value.ToDisplay());
}

Reference ReferenceOf(const ast::Access& access, const ast::Context& context, ast::Range range) {
  Reference reference{{context.name}, range.offset, range.length};
  for (const ast::Accessor& accessor : access.path) {
    auto name = StaticName(accessor);
    if (!name) {
      break;
    }
    reference.path.push_back(*std::move(name));
    reference.length = accessor.range.end() - range.offset;
  }
  return reference;
}

}  // namespace

Result<Expression> Expression::Parse(std::string_view text) {
  Result<ast::NodePtr> root = ParseText(text);
  if (!root.ok()) {
    return root.error();
  }
  Expression expression;
  expression.root_ = std::move(root).value();
  return expression;
}

Result<Value> Expression::Evaluate(const Scope& scope) const {
  return root_ == nullptr ? Result<Value>(Value()) : EvaluateTree(*root_, scope);
}

std::vector<Reference> Expression::References() const {
  std::vector<Reference> references;
  if (root_ == nullptr) {
    return references;
  }
  const Node* told = nullptr;  // The base of an access already told of as a whole.
  Walk(*root_, [&](const Node& node) {
    if (const auto* access = std::get_if<ast::Access>(&node.what)) {
      if (const auto* context = std::get_if<ast::Context>(&access->base->what)) {
        references.push_back(ReferenceOf(*access, *context, access->base->range));
        told = access->base.get();
      }
    } else if (const auto* context = std::get_if<ast::Context>(&node.what)) {
      if (&node != told) {
        references.push_back({{context->name}, node.range.offset, node.range.length});
      }
    }
  });
  return references;
}

std::vector<FunctionUse> Expression::Functions() const {
  std::vector<FunctionUse> uses;
  if (root_ == nullptr) {
    return uses;
  }
  Walk(*root_, [&](const Node& node) {
    if (const auto* call = std::get_if<ast::Call>(&node.what)) {
      uses.push_back({std::string(call->function->name), call->name.offset, call->name.length});
    }
  });
  return uses;
}

bool Expression::DecidesAlone() const {
  const std::vector<FunctionUse> uses = Functions();
  return std::any_of(uses.begin(), uses.end(), [](const FunctionUse& use) {
    return use.name == "always" || use.name == "failure" || use.name == "cancelled";
  });
}

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> names;
  for (const FunctionSpec& function : AllFunctions()) {
    names.push_back(function.name);
  }
  return names;
}

}  // namespace engine::expr
