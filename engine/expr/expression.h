// SPDX-License-Identifier: Apache-2.0
// Parses and evaluates `${{ … }}`. Pure: contexts and host functions are passed in; evaluation is
// bounded in depth, time and size. Threads: a parsed expression is immutable and may be shared.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/expr/value.h"

namespace engine::expr {

/// What is wrong and where in the text: bytes from its start.
struct Error {
  std::string message;
  std::string hint;  ///< how to mend it, "did you mean …"; may be empty
  std::size_t offset = 0;
  std::size_t length = 0;
};

template <typename T>
class Result {  // a value or an `Error`
 public:
  Result(T value) : held_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : held_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  bool ok() const { return held_.index() == 0; }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  const Error& error() const { return std::get<1>(held_); }

 private:
  std::variant<T, Error> held_;
};

/// What an expression may see. Names are compared without regard to case.
class Scope {
 public:
  virtual ~Scope() = default;
  /// The context of that name, null when this scope has none (an error for the author, with a hint
  /// from `ContextNames`).
  virtual const Value* Context(std::string_view name) const = 0;
  virtual std::vector<std::string> ContextNames() const = 0;
  /// `success failure always cancelled hashFiles`; every other function is built in. Empty: not
  /// available here.
  virtual std::optional<Result<Value>> CallHost(std::string_view function,
                                                std::span<const Value> arguments) const = 0;
};

/// A context read by an expression: `needs.build.outputs.x` is {"needs", "build", "outputs", "x"};
/// a part that is computed or filtered (`[i]`, `.*`) ends the list.
struct Reference {
  std::vector<std::string> path;
  std::size_t offset = 0;
  std::size_t length = 0;
};

struct FunctionUse {
  std::string name;  ///< in its canonical spelling
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// Every function of the language, in its canonical spelling.
std::vector<std::string_view> FunctionNames();

namespace ast {
struct Node;
}

/// Without a text (default constructed) it is null.
class Expression {
 public:
  /// `text` without `${{ }}`. Unknown functions, wrong argument counts and bad literals are errors
  /// here.
  static Result<Expression> Parse(std::string_view text);
  Result<Value> Evaluate(const Scope& scope) const;
  std::vector<Reference> References() const;
  std::vector<FunctionUse> Functions() const;
  /// Calls `always()`, `failure()` or `cancelled()` somewhere.
  bool DecidesAlone() const;

 private:
  std::shared_ptr<const ast::Node> root_;
};

/// Text with `${{ … }}` in it. `$${{` stands for a plain `${{`; a `}}` within quotes ends nothing.
/// Cheap to parse when there is no `${{`.
class TemplateText {
 public:
  /// Errors' offsets count from the start of `text`.
  static Result<TemplateText> Parse(std::string_view text);
  bool has_expression() const;
  /// The text with each expression replaced by its value's `ToDisplay`.
  Result<std::string> Render(const Scope& scope) const;
  /// Exactly one expression and nothing else keeps its type; otherwise a string.
  Result<Value> Evaluate(const Scope& scope) const;
  std::vector<Reference> References() const;
  std::vector<FunctionUse> Functions() const;

 private:
  struct Piece;
  std::span<const Piece> pieces() const;

  std::shared_ptr<const std::vector<Piece>> pieces_;
};

}  // namespace engine::expr
