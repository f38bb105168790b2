// SPDX-License-Identifier: Apache-2.0
#include "apps/eval_command.h"

#include <algorithm>
#include <cstdio>

#include "apps/exit_code.h"
#include "apps/standard_streams.h"
#include "apps/text_file.h"
#include "apps/view/utf8.h"
#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"
#include "engine/expr/status_functions.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace expr = engine::expr;

expr::Result<expr::Value> Evaluate(const std::string& text, const expr::Scope& scope) {
  if (text.find("${{") != std::string::npos) {
    const auto parsed = expr::TemplateText::Parse(text);
    return parsed.ok() ? parsed.value().Evaluate(scope) : parsed.error();
  }
  const auto parsed = expr::Expression::Parse(text);
  return parsed.ok() ? parsed.value().Evaluate(scope) : parsed.error();
}

// The line of `text` with the place, and carets under it.
std::string Underlined(const std::string& text, const expr::Error& error) {
  const std::size_t offset = std::min(error.offset, text.size());
  const std::size_t begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  const std::string line = text.substr(begin, end - begin);
  const int before = view::DisplayWidth(std::string_view(text).substr(begin, offset - begin));
  const std::size_t length = std::min(error.length, end - offset);
  const int under = std::max(1, view::DisplayWidth(std::string_view(text).substr(offset, length)));
  return fmt::format("  {}\n  {}{}\n", line, std::string(static_cast<std::size_t>(before), ' '),
                     std::string(static_cast<std::size_t>(under), '^'));
}

base::StatusOr<expr::MapScope> ReadScope(const std::string& context_file) {
  expr::MapScope scope;
  expr::AddStatusFunctions(scope, {});
  if (context_file.empty()) {
    return scope;
  }
  ASSIGN_OR_RETURN(const std::string json, ReadTextFile(context_file));
  const auto contexts = expr::Value::FromJson(json);
  if (!contexts.ok()) {
    return base::InvalidArgument("{}: {}", context_file, base::Message(contexts.status()));
  }
  if (contexts->kind() != expr::Kind::kObject) {
    return base::InvalidArgument("{}: expected a JSON object whose members are the contexts",
                                 context_file);
  }
  for (const auto& [name, value] : contexts->object()) {
    scope.Set(name, value);
  }
  return scope;
}

}  // namespace

int EvalCommand(const EvalOptions& options) {
  const auto scope = ReadScope(options.context_file);
  if (!scope.ok()) {
    return Fail(scope.status());
  }
  const expr::Result<expr::Value> value = Evaluate(options.expression, *scope);
  if (!value.ok()) {
    const expr::Error& error = value.error();
    fmt::print(stderr, "error: {}\n{}", error.message, Underlined(options.expression, error));
    if (!error.hint.empty()) {
      fmt::print(stderr, "  hint: {}\n", error.hint);
    }
    return kExitInvalid;
  }
  Print(value.value().ToJson() + "\n");
  return kExitOk;
}

}  // namespace apps
