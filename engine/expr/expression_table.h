// SPDX-License-Identifier: Apache-2.0
// Table tests of the language: an expression, what it may see, and the value it has. For tests
// only.
#pragma once

#include <span>
#include <string>

#include <gtest/gtest.h>

#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"
#include "engine/expr/status_functions.h"

namespace engine::expr {

struct ValueRow {
  const char* name;
  const char* expression;
  const char* context;   ///< JSON, seen as `x`; empty: null
  const char* expected;  ///< JSON without spaces
};

struct ErrorRow {
  const char* name;
  const char* expression;
  const char* message;
  std::size_t offset;
  std::size_t length;
  const char* hint;
};

inline Value JsonValue(std::string_view text) {
  auto value = Value::FromJson(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status();
  return value.ok() ? *value : Value();
}

/// Knows `x` and the status functions of a job that may start.
inline MapScope ScopeWith(std::string_view context) {
  MapScope scope;
  scope.Set("x", context.empty() ? Value() : JsonValue(context));
  AddStatusFunctions(scope, StatusView());
  return scope;
}

inline Result<Value> Evaluated(std::string_view expression, const Scope& scope) {
  auto parsed = Expression::Parse(expression);
  if (!parsed.ok()) {
    return parsed.error();
  }
  return parsed.value().Evaluate(scope);
}

inline void ExpectValues(std::span<const ValueRow> rows) {
  for (const ValueRow& row : rows) {
    SCOPED_TRACE(std::string(row.name) + ": " + row.expression);
    const auto value = Evaluated(row.expression, ScopeWith(row.context));
    if (value.ok()) {
      EXPECT_EQ(value.value().ToJson(), row.expected);
    } else {
      ADD_FAILURE() << value.error().message << " at " << value.error().offset;
    }
  }
}

inline void ExpectErrors(std::span<const ErrorRow> rows) {
  for (const ErrorRow& row : rows) {
    SCOPED_TRACE(std::string(row.name) + ": " + row.expression);
    const auto value = Evaluated(row.expression, ScopeWith(R"({"a": [1, 2], "name": "text"})"));
    if (value.ok()) {
      ADD_FAILURE() << "gave " << value.value().ToJson();
      continue;
    }
    EXPECT_EQ(value.error().message, row.message);
    EXPECT_EQ(value.error().offset, row.offset);
    EXPECT_EQ(value.error().length, row.length);
    EXPECT_EQ(value.error().hint, row.hint);
  }
}

}  // namespace engine::expr
