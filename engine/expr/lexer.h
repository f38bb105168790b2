// SPDX-License-Identifier: Apache-2.0
// Cuts an expression into tokens, one at a time. Internal to `engine/expr`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engine/expr/ast.h"
#include "engine/expr/expression.h"

namespace engine::expr {

enum class TokenKind : std::uint8_t {
  kEnd,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kComma,
  kDot,
  kStar,
  kNot,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kAnd,
  kOr,
  kName,
  kNumber,
  kString,
  kBad,  ///< `Lexer::TakeProblem` says why
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  ast::Range range;
  double number = 0;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token Next();
  /// The text of the last token, a string literal, with its quotes undone.
  std::string TakeString() { return std::move(string_); }
  /// What is wrong with the last token, a bad one.
  Error TakeProblem() { return std::move(problem_); }

 private:
  Token Symbol(TokenKind kind, std::size_t length);
  Token TwoBytes(char second, TokenKind kind, TokenKind otherwise);
  Token Number();
  Token Name();
  Token String();
  Token Bad(std::size_t length, std::string message, std::string hint);
  std::size_t WordLength(bool with_dots) const;
  char At(std::size_t offset) const {
    return at_ + offset < text_.size() ? text_[at_ + offset] : '\0';
  }

  std::string_view text_;
  std::size_t at_ = 0;
  TokenKind last_ = TokenKind::kEnd;
  // Not in `Token`, so that most tokens cost no strings.
  std::string string_;
  Error problem_;
};

}  // namespace engine::expr
