// SPDX-License-Identifier: Apache-2.0
// What the parser makes and the evaluator walks. Chains (`a.b.c`, `a && b && c`, `!!!a`) are one
// node each, so that the tree is as deep as the author's brackets and never deeper. Internal to
// `engine/expr`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/expr/functions.h"
#include "engine/expr/pattern.h"
#include "engine/expr/value.h"

namespace engine::expr::ast {

struct Node;
using NodePtr = std::unique_ptr<const Node>;

/// Bytes of the expression's text.
struct Range {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::size_t end() const { return offset + length; }
};

struct Literal {
  Value value;
};

struct Context {
  std::string name;
};

/// `.name`, `[index]` (then `index` is set), `.*` or `[*]`.
struct Accessor {
  enum class Kind : std::uint8_t { kProperty, kIndex, kWildcard };
  Kind kind = Kind::kProperty;
  std::string name;
  NodePtr index;
  Range range;
};

struct Access {
  NodePtr base;
  std::vector<Accessor> path;
};

struct Call {
  const FunctionSpec* function = nullptr;
  std::vector<NodePtr> arguments;
  Range name;
  /// Of `matches` with a literal pattern: compiled once.
  std::shared_ptr<const Pattern> pattern;
};

/// `!a`; with `twice` `!!a`, the operand's truth. Longer chains are one of the two.
struct Not {
  NodePtr operand;
  bool twice = false;
};

/// Two operands or more, from left to right.
struct Logical {
  bool is_and = true;
  std::vector<NodePtr> operands;
};

enum class Comparator : std::uint8_t {
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual
};

/// `first op a op b …` of one precedence: each result is the left side of the next comparison.
struct Comparison {
  NodePtr first;
  std::vector<std::pair<Comparator, NodePtr>> rest;
};

struct Node {
  std::variant<Literal, Context, Access, Call, Not, Logical, Comparison> what;
  Range range;
};

}  // namespace engine::expr::ast
