// SPDX-License-Identifier: Apache-2.0
// Recursion follows the tree, whose depth the parser bounds.
#include "engine/expr/evaluator.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "engine/base/did_you_mean.h"
#include "engine/base/overloaded.h"
#include "engine/expr/utf8.h"

namespace engine::expr {
namespace {

using ast::Node;
using ast::Range;

/// A value on its way. What a filter (`.*`) gave is an array whose members are taken from each
/// item, not from the array.
struct Operand {
  Value value;
  bool filtered = false;
};

// The position that `index` names in an array; nothing when it names none.
std::optional<std::size_t> PositionIn(const Array& items, const Value& index) {
  const double position = index.ToNumber();
  if (position >= 0 && position < static_cast<double>(items.size())) {
    return static_cast<std::size_t>(position);
  }
  return std::nullopt;
}

const Value* FindIndexed(const Value& collection, const Value& index) {
  if (collection.kind() == Kind::kArray) {
    const auto position = PositionIn(collection.array(), index);
    return position ? &collection.array()[*position] : nullptr;
  }
  return index.IsPrimitive() ? collection.Find(index.ToDisplay()) : nullptr;
}

void AppendItems(const Value& collection, Array& items) {
  if (collection.kind() == Kind::kArray) {
    items.insert(items.end(), collection.array().begin(), collection.array().end());
  } else if (collection.kind() == Kind::kObject) {
    for (const auto& [name, value] : collection.object()) {
      items.push_back(value);
    }
  }
}

std::size_t TextCost(const Value& value) {
  return value.kind() == Kind::kString ? value.string().size() : 0;
}

bool Compare(ast::Comparator comparator, const Value& left, const Value& right) {
  switch (comparator) {
    case ast::Comparator::kLess:
      return LooselyLess(left, right);
    case ast::Comparator::kLessEqual:
      return LooselyEqual(left, right) || LooselyLess(left, right);
    case ast::Comparator::kGreater:
      return LooselyLess(right, left);
    case ast::Comparator::kGreaterEqual:
      return LooselyEqual(left, right) || LooselyLess(right, left);
    case ast::Comparator::kEqual:
      return LooselyEqual(left, right);
    case ast::Comparator::kNotEqual:
      return !LooselyEqual(left, right);
  }
  return false;
}

class Evaluator {
 public:
  explicit Evaluator(const Scope& scope) : scope_(scope) {}

  // Nothing once `error_` is set.
  std::optional<Operand> Evaluate(const Node& node);
  Error TakeError() && { return *std::move(error_); }

 private:
  std::optional<Operand> ReadContext(const ast::Context& context, Range range);
  std::optional<Operand> Follow(const ast::Access& access);
  std::optional<Operand> FollowOne(Operand base, const ast::Accessor& accessor);
  std::optional<Operand> Filter(const Operand& base, Range range);
  std::optional<Operand> FollowEach(const Operand& base, const Value& index, Range range);
  std::optional<Operand> Call(const ast::Call& call, Range range);
  std::optional<Operand> CallHost(const ast::Call& call, std::span<const Value> arguments,
                                  Range range);
  std::optional<Operand> Decide(const ast::Logical& logical);
  std::optional<Operand> Compared(const ast::Comparison& comparison, Range range);

  bool Spend(std::size_t bytes, Range range);
  std::nullopt_t Fail(Range range, std::string message, std::string hint = "");

  const Scope& scope_;
  Work work_;
  std::optional<Error> error_;
};

std::nullopt_t Evaluator::Fail(Range range, std::string message, std::string hint) {
  error_ = Error{std::move(message), std::move(hint), range.offset, range.length};
  return std::nullopt;
}

bool Evaluator::Spend(std::size_t bytes, Range range) {
  if (work_.Spend(bytes)) {
    return true;
  }
  CallError error = TooMuchWork();
  Fail(range, std::move(error.message));
  return false;
}

std::optional<Operand> Evaluator::Evaluate(const Node& node) {
  return std::visit(
      base::Overloaded{
          [](const ast::Literal& literal) -> std::optional<Operand> {
            return Operand{literal.value};
          },
          [&](const ast::Context& context) { return ReadContext(context, node.range); },
          [&](const ast::Access& access) { return Follow(access); },
          [&](const ast::Call& call) { return Call(call, node.range); },
          [&](const ast::Not& inverted) -> std::optional<Operand> {
            const auto operand = Evaluate(*inverted.operand);
            if (!operand) {
              return std::nullopt;
            }
            return Operand{Value::Boolean(operand->value.Truthy() == inverted.twice)};
          },
          [&](const ast::Logical& logical) { return Decide(logical); },
          [&](const ast::Comparison& comparison) { return Compared(comparison, node.range); },
      },
      node.what);
}

std::optional<Operand> Evaluator::ReadContext(const ast::Context& context, Range range) {
  if (const Value* value = scope_.Context(context.name)) {
    return Operand{*value};
  }
  const std::vector<std::string> names = scope_.ContextNames();
  std::string hint = base::DidYouMean(context.name, names);
  if (hint.empty() && !names.empty()) {
    hint = fmt::format("here one can use: {}", fmt::join(names, ", "));
  }
  return Fail(range, fmt::format("'{}' is not known here", Excerpt(context.name)), std::move(hint));
}

std::optional<Operand> Evaluator::Follow(const ast::Access& access) {
  auto operand = Evaluate(*access.base);
  for (const ast::Accessor& accessor : access.path) {
    if (!operand) {
      break;
    }
    operand = FollowOne(*std::move(operand), accessor);
  }
  return operand;
}

std::optional<Operand> Evaluator::FollowOne(Operand base, const ast::Accessor& accessor) {
  if (accessor.kind == ast::Accessor::Kind::kWildcard) {
    return Filter(base, accessor.range);
  }
  // A filter gives an array, so what is none needs no more than this.
  if (accessor.kind == ast::Accessor::Kind::kProperty && base.value.kind() != Kind::kArray) {
    const Value* found = base.value.Find(accessor.name);
    return Operand{found == nullptr ? Value() : *found};
  }
  Value index;
  if (accessor.kind == ast::Accessor::Kind::kProperty) {
    index = Value::String(accessor.name);
  } else if (auto operand = Evaluate(*accessor.index)) {
    index = std::move(operand->value);
  } else {
    return std::nullopt;
  }
  if (base.filtered) {
    return FollowEach(base, index, accessor.range);
  }
  const Value* found = FindIndexed(base.value, index);
  return Operand{found == nullptr ? Value() : *found};
}

std::optional<Operand> Evaluator::Filter(const Operand& base, Range range) {
  Array items;
  if (base.filtered) {
    for (const Value& collection : base.value.array()) {
      AppendItems(collection, items);
    }
  } else {
    AppendItems(base.value, items);
  }
  if (!Spend(items.size() * sizeof(Value), range)) {
    return std::nullopt;
  }
  return Operand{Value::MakeArray(std::move(items)), true};
}

std::optional<Operand> Evaluator::FollowEach(const Operand& base, const Value& index, Range range) {
  if (!Spend(base.value.array().size() * sizeof(Value), range)) {
    return std::nullopt;
  }
  Array items;
  for (const Value& collection : base.value.array()) {
    if (const Value* found = FindIndexed(collection, index)) {
      items.push_back(*found);
    }
  }
  return Operand{Value::MakeArray(std::move(items)), true};
}

std::optional<Operand> Evaluator::Call(const ast::Call& call, Range range) {
  std::vector<Value> arguments;
  arguments.reserve(call.arguments.size());
  for (const ast::NodePtr& node : call.arguments) {
    auto operand = Evaluate(*node);
    if (!operand) {
      return std::nullopt;
    }
    arguments.push_back(std::move(operand->value));
  }
  if (call.function->id == FunctionId::kHost) {
    return CallHost(call, arguments, range);
  }
  CallResult result = CallBuiltIn(*call.function, arguments, call.pattern.get(), work_);
  if (result.error) {
    const auto& blamed = result.error->argument;
    return Fail(blamed ? call.arguments[*blamed]->range : range, std::move(result.error->message),
                std::move(result.error->hint));
  }
  return Operand{std::move(result.value)};
}

std::optional<Operand> Evaluator::CallHost(const ast::Call& call, std::span<const Value> arguments,
                                           Range range) {
  auto answer = scope_.CallHost(call.function->name, arguments);
  if (!answer) {
    return Fail(call.name, fmt::format("{}() is not available here", call.function->name));
  }
  if (!answer->ok()) {
    const Error& error = answer->error();
    return Fail(range, error.message, error.hint);
  }
  return Operand{std::move(*answer).value()};
}

// The operand that decided, as it is: `a && b` is `a` when `a` is falsy, else `b`.
std::optional<Operand> Evaluator::Decide(const ast::Logical& logical) {
  std::optional<Operand> operand;
  for (const ast::NodePtr& node : logical.operands) {
    operand = Evaluate(*node);
    if (!operand || operand->value.Truthy() != logical.is_and) {
      break;
    }
  }
  return operand;
}

std::optional<Operand> Evaluator::Compared(const ast::Comparison& comparison, Range range) {
  auto left = Evaluate(*comparison.first);
  for (const auto& [comparator, node] : comparison.rest) {
    if (!left) {
      break;
    }
    const auto right = Evaluate(*node);
    if (!right || !Spend(1 + TextCost(left->value) + TextCost(right->value), range)) {
      return std::nullopt;
    }
    left = Operand{Value::Boolean(Compare(comparator, left->value, right->value))};
  }
  return left;
}

}  // namespace

Result<Value> EvaluateTree(const Node& root, const Scope& scope) {
  Evaluator evaluator(scope);
  auto operand = evaluator.Evaluate(root);
  if (!operand) {
    return std::move(evaluator).TakeError();
  }
  return std::move(operand->value);
}

}  // namespace engine::expr
