// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/lexer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/expr/number.h"
#include "engine/expr/utf8.h"

namespace engine::expr {
namespace {

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c) || c == '-';
}

// What ends a word: white space, and every character that is a token of its own. Others, such as
// `'` and `+`, do not, as on GitHub: `1+2` and `b@r` are one wrong word each.
bool EndsWord(char c) {
  return IsSpace(c) || std::string_view("()[],.!<>=&|").find(c) != std::string_view::npos;
}

// After these, a dot leads to a member; elsewhere it starts a number.
bool EndsOperand(TokenKind last) {
  return last == TokenKind::kRightParen || last == TokenKind::kRightBracket ||
         last == TokenKind::kStar || last == TokenKind::kName || last == TokenKind::kNumber ||
         last == TokenKind::kString || last == TokenKind::kDot;
}

constexpr std::string_view kNoArithmetic = "there is no arithmetic in expressions";

std::string HintForWord(std::string_view word) {
  if (word.front() == '"') {
    return "strings stand in single quotes: 'text'";
  }
  if (word.find_first_of("+*/%") != std::string_view::npos) {
    return std::string(kNoArithmetic);
  }
  return {};
}

}  // namespace

Token Lexer::Next() {
  while (at_ < text_.size() && IsSpace(text_[at_])) {
    ++at_;
  }
  Token token;
  if (at_ >= text_.size()) {
    token.range = {text_.size(), 0};
    return token;
  }
  switch (At(0)) {
    case '(':
      token = Symbol(TokenKind::kLeftParen, 1);
      break;
    case ')':
      token = Symbol(TokenKind::kRightParen, 1);
      break;
    case '[':
      token = Symbol(TokenKind::kLeftBracket, 1);
      break;
    case ']':
      token = Symbol(TokenKind::kRightBracket, 1);
      break;
    case ',':
      token = Symbol(TokenKind::kComma, 1);
      break;
    case '*':
      token = Symbol(TokenKind::kStar, 1);
      break;
    case '!':
      token = TwoBytes('=', TokenKind::kNotEqual, TokenKind::kNot);
      break;
    case '<':
      token = TwoBytes('=', TokenKind::kLessEqual, TokenKind::kLess);
      break;
    case '>':
      token = TwoBytes('=', TokenKind::kGreaterEqual, TokenKind::kGreater);
      break;
    case '=':
      token = TwoBytes('=', TokenKind::kEqual, TokenKind::kBad);
      break;
    case '&':
      token = TwoBytes('&', TokenKind::kAnd, TokenKind::kBad);
      break;
    case '|':
      token = TwoBytes('|', TokenKind::kOr, TokenKind::kBad);
      break;
    case '\'':
      token = String();
      break;
    case '.':
      token = EndsOperand(last_) ? Symbol(TokenKind::kDot, 1) : Number();
      break;
    default:
      token = IsDigit(At(0)) || At(0) == '-' || At(0) == '+' ? Number() : Name();
      break;
  }
  last_ = token.kind;
  return token;
}

Token Lexer::Symbol(TokenKind kind, std::size_t length) {
  Token token;
  token.kind = kind;
  token.range = {at_, length};
  at_ += length;
  return token;
}

Token Lexer::Bad(std::size_t length, std::string message, std::string hint) {
  problem_ = {std::move(message), std::move(hint), at_, length};
  return Symbol(TokenKind::kBad, length);
}

Token Lexer::TwoBytes(char second, TokenKind kind, TokenKind otherwise) {
  if (At(1) == second) {
    return Symbol(kind, 2);
  }
  if (otherwise == TokenKind::kBad) {
    return Bad(1, fmt::format("unexpected '{}'", At(0)),
               fmt::format("did you mean '{}{}'?", At(0), second));
  }
  return Symbol(otherwise, 1);
}

std::size_t Lexer::WordLength(bool with_dots) const {
  std::size_t length = 1;
  while (at_ + length < text_.size() &&
         (!EndsWord(text_[at_ + length]) || (with_dots && text_[at_ + length] == '.'))) {
    ++length;
  }
  return length;
}

Token Lexer::Number() {
  const std::size_t length = WordLength(/*with_dots=*/true);
  const std::string_view word = text_.substr(at_, length);
  const double value = ParseNumber(word);
  if (std::isnan(value)) {
    const bool sum = word.find_first_of("+-*/%", word.front() == '-' ? 1 : 0) < word.size();
    return Bad(length, fmt::format("'{}' is not a number", Excerpt(word)),
               sum ? std::string(kNoArithmetic) : std::string());
  }
  Token token = Symbol(TokenKind::kNumber, length);
  token.number = value;
  return token;
}

Token Lexer::Name() {
  const std::size_t length = WordLength(/*with_dots=*/false);
  const std::string_view word = text_.substr(at_, length);
  if (!IsNameStart(word.front()) || !std::all_of(word.begin(), word.end(), IsNamePart)) {
    return Bad(length, fmt::format("unexpected '{}'", Excerpt(word)), HintForWord(word));
  }
  return Symbol(TokenKind::kName, length);
}

Token Lexer::String() {
  std::string value;
  for (std::size_t i = 1; at_ + i < text_.size(); ++i) {
    if (At(i) != '\'') {
      value += At(i);
    } else if (At(i + 1) == '\'') {
      value += '\'';
      ++i;
    } else {
      string_ = std::move(value);
      return Symbol(TokenKind::kString, i + 1);
    }
  }
  return Bad(text_.size() - at_, "this string is not closed",
             "a quote inside a string is written twice: 'it''s'");
}

}  // namespace engine::expr
