// SPDX-License-Identifier: Apache-2.0
// `TemplateText` of expression.h: finds `${{ … }}` in text.
#include <algorithm>

#include <fmt/format.h>

#include "engine/expr/expression.h"
#include "engine/expr/limits.h"

namespace engine::expr {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";

Error Shifted(Error error, std::size_t by) {
  error.offset += by;
  return error;
}

// The length of the expression at the start of `text`, which follows `${{`; quoted `}}` do not end
// it.
std::optional<std::size_t> LengthToClose(std::string_view text) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') {
      in_string = !in_string;  // A doubled quote closes and opens again.
    } else if (!in_string && text.substr(i, kClose.size()) == kClose) {
      return i;
    }
  }
  return std::nullopt;
}

// `text` follows an `${{` at `offset` that nothing closes.
Error Unclosed(std::string_view text, std::size_t offset) {
  const bool in_string = std::count(text.begin(), text.end(), '\'') % 2 != 0;
  if (in_string && text.find(kClose) != std::string_view::npos) {
    const std::size_t quote = text.rfind('\'');
    const std::size_t line_end = std::min(text.find('\n', quote), text.size());
    return {"this string is not closed", "a quote inside a string is written twice: 'it''s'",
            offset + kOpen.size() + quote, line_end - quote};
  }
  return {"'${{' is not closed by '}}'", "a plain '${{' is written '$${{'", offset, kOpen.size()};
}

}  // namespace

struct TemplateText::Piece {
  std::string literal;  // stands before the expression
  std::optional<Expression> expression;
  std::size_t offset = 0;  // of the expression's text, after `${{`
};

Result<TemplateText> TemplateText::Parse(std::string_view text) {
  auto pieces = std::make_shared<std::vector<Piece>>();
  std::string literal;
  std::size_t at = 0;
  for (;;) {
    const std::size_t open = text.find(kOpen, at);
    if (open == std::string_view::npos) {
      break;
    }
    if (open > at && text[open - 1] == '$') {
      literal += text.substr(at, open - 1 - at);
      literal += kOpen;
      at = open + kOpen.size();
      continue;
    }
    literal += text.substr(at, open - at);
    const std::size_t start = open + kOpen.size();
    const auto length = LengthToClose(text.substr(start));
    if (!length) {
      return Unclosed(text.substr(start), open);
    }
    const std::string_view inside = text.substr(start, *length);
    at = start + *length + kClose.size();
    if (inside.find_first_not_of(" \t\n\r\f\v") == std::string_view::npos) {
      return Error{"the expression is empty", "", open, at - open};
    }
    auto expression = Expression::Parse(inside);
    if (!expression.ok()) {
      return Shifted(expression.error(), start);
    }
    pieces->push_back({std::move(literal), std::move(expression).value(), start});
    literal.clear();
  }
  literal += text.substr(at);
  if (!literal.empty()) {
    pieces->push_back({std::move(literal), std::nullopt, 0});
  }
  TemplateText parsed;
  parsed.pieces_ = std::move(pieces);
  return parsed;
}

bool TemplateText::has_expression() const {
  // Only the last piece may be without one.
  return pieces_ != nullptr && !pieces_->empty() && pieces_->front().expression.has_value();
}

std::span<const TemplateText::Piece> TemplateText::pieces() const {
  return pieces_ == nullptr ? std::span<const Piece>() : std::span<const Piece>(*pieces_);
}

Result<std::string> TemplateText::Render(const Scope& scope) const {
  std::string text;
  for (const Piece& piece : pieces()) {
    text += piece.literal;
    if (!piece.expression) {
      continue;
    }
    const auto value = piece.expression->Evaluate(scope);
    if (!value.ok()) {
      return Shifted(value.error(), piece.offset);
    }
    text += value.value().ToDisplay();
    if (text.size() > kRenderedBytesMax) {
      return Error{fmt::format("the text would be longer than {} MiB", kRenderedBytesMax >> 20U),
                   "", piece.offset, 1};
    }
  }
  return text;
}

Result<Value> TemplateText::Evaluate(const Scope& scope) const {
  if (pieces().size() == 1 && pieces().front().literal.empty()) {
    const Piece& only = pieces().front();
    auto value = only.expression->Evaluate(scope);
    return value.ok() ? std::move(value) : Result<Value>(Shifted(value.error(), only.offset));
  }
  auto text = Render(scope);
  if (!text.ok()) {
    return text.error();
  }
  return Value::String(std::move(text).value());
}

std::vector<Reference> TemplateText::References() const {
  std::vector<Reference> all;
  for (const Piece& piece : pieces()) {
    if (!piece.expression) {
      continue;
    }
    for (Reference& reference : piece.expression->References()) {
      reference.offset += piece.offset;
      all.push_back(std::move(reference));
    }
  }
  return all;
}

std::vector<FunctionUse> TemplateText::Functions() const {
  std::vector<FunctionUse> all;
  for (const Piece& piece : pieces()) {
    if (!piece.expression) {
      continue;
    }
    for (FunctionUse& use : piece.expression->Functions()) {
      use.offset += piece.offset;
      all.push_back(std::move(use));
    }
  }
  return all;
}

}  // namespace engine::expr
