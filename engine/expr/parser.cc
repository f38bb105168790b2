// SPDX-License-Identifier: Apache-2.0
// Recursive descent, one function a level of precedence:
//   or         = and { "||" and }
//   and        = equality { "&&" equality }
//   equality   = relation { ("==" | "!=") relation }
//   relation   = unary { ("<" | "<=" | ">" | ">=") unary }
//   unary      = { "!" } postfix
//   postfix    = primary { "." (name | "*") | "[" ("*" | or) "]" }
//   primary    = literal | name | name "(" [ or { "," or } ] ")" | "(" or ")"
// Only brackets recurse, and `Nested` bounds them, so the stack is bounded, too.
#include "engine/expr/parser.h"

#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "engine/base/did_you_mean.h"
#include "engine/expr/lexer.h"
#include "engine/expr/limits.h"
#include "engine/expr/text_case.h"
#include "engine/expr/utf8.h"

namespace engine::expr {
namespace {

using ast::Node;
using ast::NodePtr;
using ast::Range;

template <typename What>
NodePtr MakeNode(What what, Range range) {
  return std::make_unique<const Node>(Node{std::move(what), range});
}

struct Keyword {
  std::string_view name;
  Value value;
};

std::span<const Keyword> Keywords() {
  static const std::array<Keyword, 5> kKeywords{{
      {"null", Value()},
      {"true", Value::Boolean(true)},
      {"false", Value::Boolean(false)},
      {"NaN", Value::Number(std::numeric_limits<double>::quiet_NaN())},
      {"Infinity", Value::Number(std::numeric_limits<double>::infinity())},
  }};
  return kKeywords;
}

std::string HintForFunction(std::string_view name) {
  std::vector<std::string_view> names;
  for (const FunctionSpec& function : AllFunctions()) {
    names.push_back(function.name);
  }
  std::string hint = base::DidYouMean(name, names);
  return hint.empty() ? fmt::format("functions are: {}", fmt::join(names, ", ")) : hint;
}

// For a word that follows a complete operand.
std::string HintForWord(std::string_view word) {
  if (EqualIgnoringCase(word, "and")) {
    return "write '&&'";
  }
  if (EqualIgnoringCase(word, "or")) {
    return "write '||'";
  }
  return EqualIgnoringCase(word, "is") ? "write '=='" : "";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) {}
  Result<NodePtr> Parse();

 private:
  // Each gives null once `error_` is set.
  NodePtr Or();
  NodePtr And();
  NodePtr Equality();
  NodePtr Relation();
  NodePtr Unary();
  NodePtr Postfix();
  NodePtr Primary();
  NodePtr Named();
  NodePtr Call(Range name);
  NodePtr Checked(ast::Call call, Range range);
  bool Arguments(ast::Call& call);
  std::optional<ast::Accessor> Member();
  std::optional<ast::Accessor> Index();
  NodePtr Nested();

  template <typename Operand>
  NodePtr Chain(TokenKind joint, bool is_and, Operand operand);
  template <typename Operand>
  NodePtr Compare(TokenKind first, TokenKind last, Operand operand);

  std::string_view TextOf(Range range) const { return text_.substr(range.offset, range.length); }
  void Advance() {
    consumed_ = token_.range.end();
    token_ = lexer_.Next();
  }
  // From `offset` to the end of the last token taken: brackets included.
  Range Since(std::size_t offset) const { return {offset, consumed_ - offset}; }
  bool Expect(TokenKind kind, std::string_view spelling);
  std::nullptr_t Fail(Range range, std::string message, std::string hint = "");
  std::nullptr_t Unexpected(std::string_view expected);

  std::string_view text_;
  Lexer lexer_;
  Token token_;
  std::size_t consumed_ = 0;
  int nesting_ = 0;
  std::optional<Error> error_;
};

std::nullptr_t Parser::Fail(Range range, std::string message, std::string hint) {
  if (!error_) {
    error_ = Error{std::move(message), std::move(hint), range.offset, range.length};
  }
  return nullptr;
}

std::nullptr_t Parser::Unexpected(std::string_view expected) {
  if (token_.kind == TokenKind::kBad) {
    Error problem = lexer_.TakeProblem();
    return Fail(token_.range, std::move(problem.message), std::move(problem.hint));
  }
  if (token_.kind == TokenKind::kEnd) {
    return Fail(token_.range, fmt::format("the expression ends where {} should follow", expected));
  }
  const std::string_view found = TextOf(token_.range);
  std::string hint = HintForWord(found);
  if (hint.empty()) {
    hint = fmt::format("{} should stand here", expected);
  }
  return Fail(token_.range, fmt::format("unexpected '{}'", Excerpt(found)), std::move(hint));
}

bool Parser::Expect(TokenKind kind, std::string_view spelling) {
  if (token_.kind != kind) {
    Unexpected(spelling);
    return false;
  }
  Advance();
  return true;
}

Result<NodePtr> Parser::Parse() {
  if (text_.size() > kExpressionBytesMax) {
    return Error{fmt::format("the expression is {} bytes long, more than {}", text_.size(),
                             kExpressionBytesMax),
                 "", 0, text_.size()};
  }
  Advance();
  if (token_.kind == TokenKind::kEnd) {
    return Error{"the expression is empty", "", 0, text_.size()};
  }
  NodePtr root = Or();
  if (root != nullptr && token_.kind != TokenKind::kEnd) {
    root = Unexpected("an operator or the end");
  }
  if (root == nullptr) {
    return *std::move(error_);
  }
  return root;
}

template <typename Operand>
NodePtr Parser::Chain(TokenKind joint, bool is_and, Operand operand) {
  const std::size_t start = token_.range.offset;
  NodePtr first = operand();
  if (first == nullptr || token_.kind != joint) {
    return first;
  }
  ast::Logical chain{is_and, {}};
  chain.operands.push_back(std::move(first));
  while (token_.kind == joint) {
    Advance();
    NodePtr next = operand();
    if (next == nullptr) {
      return nullptr;
    }
    chain.operands.push_back(std::move(next));
  }
  return MakeNode(std::move(chain), Since(start));
}

NodePtr Parser::Or() {
  return Chain(TokenKind::kOr, false, [this] { return And(); });
}

NodePtr Parser::And() {
  return Chain(TokenKind::kAnd, true, [this] { return Equality(); });
}

// The comparators stand in both enumerations in the same order.
template <typename Operand>
NodePtr Parser::Compare(TokenKind first, TokenKind last, Operand operand) {
  const auto is_ours = [&] { return token_.kind >= first && token_.kind <= last; };
  const std::size_t start = token_.range.offset;
  NodePtr left = operand();
  if (left == nullptr || !is_ours()) {
    return left;
  }
  ast::Comparison comparison;
  comparison.first = std::move(left);
  while (is_ours()) {
    const auto comparator = static_cast<ast::Comparator>(static_cast<int>(token_.kind) -
                                                         static_cast<int>(TokenKind::kLess));
    Advance();
    NodePtr right = operand();
    if (right == nullptr) {
      return nullptr;
    }
    comparison.rest.emplace_back(comparator, std::move(right));
  }
  return MakeNode(std::move(comparison), Since(start));
}

NodePtr Parser::Equality() {
  return Compare(TokenKind::kEqual, TokenKind::kNotEqual, [this] { return Relation(); });
}

NodePtr Parser::Relation() {
  return Compare(TokenKind::kLess, TokenKind::kGreaterEqual, [this] { return Unary(); });
}

NodePtr Parser::Unary() {
  const std::size_t start = token_.range.offset;
  std::size_t count = 0;
  for (; token_.kind == TokenKind::kNot; ++count) {
    Advance();
  }
  NodePtr operand = Postfix();
  if (operand == nullptr || count == 0) {
    return operand;
  }
  return MakeNode(ast::Not{std::move(operand), count % 2 == 0}, Since(start));
}

NodePtr Parser::Postfix() {
  const std::size_t start = token_.range.offset;
  const bool in_brackets = token_.kind == TokenKind::kLeftParen;
  NodePtr base = Primary();
  if (base == nullptr) {
    return nullptr;
  }
  ast::Access access;
  while (token_.kind == TokenKind::kDot || token_.kind == TokenKind::kLeftBracket) {
    if (!in_brackets && std::holds_alternative<ast::Literal>(base->what)) {
      return Fail(token_.range, "a literal has no members");
    }
    auto accessor = token_.kind == TokenKind::kDot ? Member() : Index();
    if (!accessor) {
      return nullptr;
    }
    access.path.push_back(*std::move(accessor));
  }
  if (access.path.empty()) {
    return base;
  }
  access.base = std::move(base);
  return MakeNode(std::move(access), Since(start));
}

std::optional<ast::Accessor> Parser::Member() {
  const std::size_t start = token_.range.offset;
  Advance();
  ast::Accessor accessor;
  if (token_.kind == TokenKind::kName) {
    accessor.name = TextOf(token_.range);
  } else if (token_.kind == TokenKind::kStar) {
    accessor.kind = ast::Accessor::Kind::kWildcard;
  } else if (token_.kind == TokenKind::kNumber) {
    Fail(token_.range, fmt::format("unexpected '{}'", Excerpt(TextOf(token_.range))),
         fmt::format("write ['{}'] for a member of that name", Excerpt(TextOf(token_.range))));
    return std::nullopt;
  } else {
    Unexpected("a name or '*'");
    return std::nullopt;
  }
  Advance();
  accessor.range = Since(start);
  return accessor;
}

std::optional<ast::Accessor> Parser::Index() {
  const std::size_t start = token_.range.offset;
  Advance();
  ast::Accessor accessor;
  if (token_.kind == TokenKind::kStar) {
    accessor.kind = ast::Accessor::Kind::kWildcard;
    Advance();
  } else {
    accessor.kind = ast::Accessor::Kind::kIndex;
    accessor.index = Nested();
    if (accessor.index == nullptr) {
      return std::nullopt;
    }
  }
  if (!Expect(TokenKind::kRightBracket, "']'")) {
    return std::nullopt;
  }
  accessor.range = Since(start);
  return accessor;
}

NodePtr Parser::Nested() {
  if (nesting_ == kNestingMax) {
    return Fail(token_.range, fmt::format("nested deeper than {} levels", kNestingMax));
  }
  ++nesting_;
  NodePtr node = Or();
  --nesting_;
  return node;
}

NodePtr Parser::Primary() {
  const Range range = token_.range;
  if (token_.kind == TokenKind::kNumber || token_.kind == TokenKind::kString) {
    Value value = token_.kind == TokenKind::kNumber ? Value::Number(token_.number)
                                                    : Value::String(lexer_.TakeString());
    Advance();
    return MakeNode(ast::Literal{std::move(value)}, range);
  }
  if (token_.kind == TokenKind::kName) {
    return Named();
  }
  if (token_.kind != TokenKind::kLeftParen) {
    return Unexpected("a value");
  }
  Advance();
  NodePtr inner = Nested();
  return inner != nullptr && Expect(TokenKind::kRightParen, "')'") ? std::move(inner) : nullptr;
}

NodePtr Parser::Named() {
  const Range name = token_.range;
  const std::string_view word = TextOf(name);
  Advance();
  for (const Keyword& keyword : Keywords()) {
    if (keyword.name == word) {
      return MakeNode(ast::Literal{keyword.value}, name);
    }
    if (EqualIgnoringCase(keyword.name, word) && token_.kind != TokenKind::kLeftParen) {
      return Fail(name, fmt::format("'{}' is not known", word),
                  fmt::format("did you mean '{}'?", keyword.name));
    }
  }
  return token_.kind == TokenKind::kLeftParen ? Call(name)
                                              : MakeNode(ast::Context{std::string(word)}, name);
}

NodePtr Parser::Call(Range name) {
  ast::Call call;
  call.name = name;
  call.function = FindFunction(TextOf(name));
  if (call.function == nullptr) {
    return Fail(name, fmt::format("there is no function '{}'", Excerpt(TextOf(name))),
                HintForFunction(TextOf(name)));
  }
  Advance();
  if (token_.kind != TokenKind::kRightParen && !Arguments(call)) {
    return nullptr;
  }
  if (!Expect(TokenKind::kRightParen, "',' or ')'")) {
    return nullptr;
  }
  return Checked(std::move(call), Since(name.offset));
}

bool Parser::Arguments(ast::Call& call) {
  for (;;) {
    NodePtr argument = Nested();
    if (argument == nullptr) {
      return false;
    }
    call.arguments.push_back(std::move(argument));
    if (token_.kind != TokenKind::kComma) {
      return true;
    }
    Advance();
  }
}

std::string CountText(const FunctionSpec& function) {
  const std::size_t least = function.arguments_min;
  const std::size_t most = function.arguments_max;
  if (least == most) {
    return least == 0 ? "no arguments" : fmt::format("{} argument{}", least, least == 1 ? "" : "s");
  }
  return most == kArgumentsMax ? fmt::format("{} or more arguments", least)
                               : fmt::format("{} to {} arguments", least, most);
}

const std::string* LiteralString(const NodePtr& node) {
  const auto* literal = std::get_if<ast::Literal>(&node->what);
  return literal != nullptr && literal->value.kind() == Kind::kString ? &literal->value.string()
                                                                      : nullptr;
}

// Argument counts, and what a literal argument already shows to be wrong.
NodePtr Parser::Checked(ast::Call call, Range range) {
  const FunctionSpec& function = *call.function;
  const std::size_t count = call.arguments.size();
  if (count < function.arguments_min || count > function.arguments_max) {
    return Fail(range,
                fmt::format("{}() takes {}, not {}", function.name, CountText(function), count));
  }
  if (function.id == FunctionId::kFormat) {
    const std::string* text = LiteralString(call.arguments[0]);
    if (auto wrong = text == nullptr ? std::nullopt : CheckFormat(*text, count - 1)) {
      return Fail(call.arguments[0]->range, *std::move(wrong), std::string(kFormatHint));
    }
  }
  if (function.id == FunctionId::kMatches) {
    if (const std::string* text = LiteralString(call.arguments[1])) {
      call.pattern = std::make_shared<const Pattern>(*text);
      if (!call.pattern->error().empty()) {
        return Fail(call.arguments[1]->range,
                    fmt::format("bad regular expression: {}", call.pattern->error()));
      }
    }
  }
  return MakeNode(std::move(call), range);
}

}  // namespace

Result<NodePtr> ParseText(std::string_view text) {
  return Parser(text).Parse();
}

}  // namespace engine::expr
