// SPDX-License-Identifier: Apache-2.0
// Cuts an expression into tokens, one at a time. Internal to `engine/expr`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/expr/ast.h"

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
  kBad,  ///< `message` says why
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  ast::Range range;
  double number = 0;
  std::string string;  ///< of a string literal, quotes undone
  std::string message;
  std::string hint;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token Next();

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
};

}  // namespace engine::expr
