// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/value.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "engine/expr/map_scope.h"
#include "engine/expr/status_functions.h"

namespace engine::expr {
namespace {

Value Json(std::string_view text) {
  auto value = Value::FromJson(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *value : Value();
}

TEST(Value, KnowsItsKind) {
  EXPECT_EQ(Value().kind(), Kind::kNull);
  EXPECT_EQ(Value::Boolean(false).kind(), Kind::kBoolean);
  EXPECT_EQ(Value::Number(0).kind(), Kind::kNumber);
  EXPECT_EQ(Value::String("").kind(), Kind::kString);
  EXPECT_EQ(Value::MakeArray({}).kind(), Kind::kArray);
  EXPECT_EQ(Value::MakeObject({}).kind(), Kind::kObject);
  EXPECT_TRUE(Value::String("").IsPrimitive());
  EXPECT_FALSE(Value::MakeArray({}).IsPrimitive());
  EXPECT_EQ(ToText(Kind::kObject), "object");
}

TEST(Value, IsTheSameInstanceAsItsCopy) {
  const Value array = Value::MakeArray({Value::Number(1)});
  const Value copy = array;  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_TRUE(array.SameInstance(copy));
  EXPECT_FALSE(array.SameInstance(Value::MakeArray({Value::Number(1)})));
  EXPECT_TRUE(Value::String("a").SameInstance(Value::String("a")));
  EXPECT_FALSE(Value::String("a").SameInstance(Value::String("A")));
}

TEST(Value, FindsMembersOnlyInObjects) {
  EXPECT_EQ(Value::String("a").Find("a"), nullptr);
  EXPECT_EQ(Json("[1]").Find("0"), nullptr);
  EXPECT_EQ(Json(R"({"a": 1})").Find("b"), nullptr);
  ASSERT_NE(Json(R"({"Key": 1})").Find("kEY"), nullptr);
}

TEST(ToJson, EscapesWhatMustBe) {
  EXPECT_EQ(Value::String("\"\\\b\f\n\r\t\x1f/").ToJson(), R"("\"\\\b\f\n\r\t\u001f/")");
  EXPECT_EQ(Value::String(std::string("\0", 1)).ToJson(), R"("\u0000")");
  EXPECT_EQ(Value::String("\x7f é \u2028 🎉").ToJson(), "\"\x7f é \u2028 🎉\"");
}

TEST(ToJson, ReplacesWhatIsNoUtf8) {
  const std::string bad = "\"\xEF\xBF\xBD\"";
  EXPECT_EQ(Value::String("\xff").ToJson(), bad);
  EXPECT_EQ(Value::String("\xc3").ToJson(), bad);
  EXPECT_EQ(Value::String("\xc0\xaf").ToJson(), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(Value::String("\xe2\x82").ToJson(), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_TRUE(Value::FromJson(Value::String("\xed\xa0\x80 \xf4\x90\x80\x80").ToJson()).ok());
}

TEST(ToJson, WritesNumbersThatReadBack) {
  for (const double number : {0.1, 1.0 / 3, 1e21, 1e-7, 123456789012345680.0, 9007199254740991.0,
                              5e-324, std::numeric_limits<double>::max(), -2.5e-10}) {
    EXPECT_EQ(Json(Value::Number(number).ToJson()).number(), number);
  }
  EXPECT_EQ(Value::Number(std::nan("")).ToJson(), "null");
}

TEST(ToJson, StopsAtTheLimit) {
  const Value value = Json(R"({"a": [1, 2], "b": "text"})");
  const std::string text = value.ToJson();
  EXPECT_EQ(value.ToJson(false, text.size()), text);
  EXPECT_EQ(value.ToJson(false, text.size() - 1), std::nullopt);
  EXPECT_EQ(value.ToJson(true, text.size()), std::nullopt);
}

TEST(FromJson, SaysWhere) {
  EXPECT_EQ(base::Message(Value::FromJson("{\"a\": 1,\n \"b\" 2}").status()),
            "line 2, column 6: syntax error while parsing object separator - unexpected number "
            "literal; expected ':'");
  EXPECT_FALSE(Value::FromJson("\"\xff\"").ok());
  EXPECT_FALSE(Value::FromJson("{a: 1}").ok());
  EXPECT_FALSE(Value::FromJson("[1] // no").ok());
  EXPECT_FALSE(Value::FromJson("NaN").ok());
}

TEST(FromJson, MergesEqualKeysOfLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 2000; ++i) {
    text += fmt::format("\"k{}\":{},", i % 1000, i);
  }
  text.back() = '}';
  const Value value = Json(text);
  ASSERT_EQ(value.object().size(), 1000U);
  EXPECT_EQ(value.object()[7].first, "k7");
  EXPECT_EQ(value.object()[7].second.number(), 1007);
}

TEST(MapScope, ReplacesByName) {
  MapScope scope;
  scope.Set("a", Value::Number(1)).Set("b", Value()).Set("A", Value::Number(2));
  EXPECT_EQ(scope.ContextNames(), (std::vector<std::string>{"a", "b"}));
  ASSERT_NE(scope.Context("a"), nullptr);
  EXPECT_EQ(scope.Context("a")->number(), 2);
  EXPECT_EQ(scope.Context("c"), nullptr);
  EXPECT_FALSE(scope.CallHost("success", {}).has_value());
}

struct StatusRow {
  const char* name;
  std::vector<NeedOutcome> needs;
  bool cancelled;
  bool success;
  bool failure;
};

TEST(StatusFunctions, JudgeNeeds) {
  const std::vector<StatusRow> rows{
      {"no needs", {}, false, true, false},
      {"all satisfied", {{true, false}, {true, false}}, false, true, false},
      {"one failed", {{true, false}, {false, true}}, false, false, true},
      {"failed as wished", {{true, true}}, false, true, true},
      {"skipped for want of a need", {{false, false}}, false, false, false},
      {"cancelled", {}, true, false, false},
      {"failed, then cancelled", {{false, true}}, true, false, false},
  };
  for (const StatusRow& row : rows) {
    SCOPED_TRACE(row.name);
    const StatusView view = ViewOfNeeds(row.needs, row.cancelled);
    EXPECT_EQ(CallStatusFunction("success", view), row.success);
    EXPECT_EQ(CallStatusFunction("Failure", view), row.failure);
    EXPECT_EQ(CallStatusFunction("always", view), true);
    EXPECT_EQ(CallStatusFunction("cancelled", view), row.cancelled);
  }
  EXPECT_EQ(CallStatusFunction("hashFiles", {}), std::nullopt);
}

TEST(StatusFunctions, JudgeSteps) {
  EXPECT_TRUE(Success(ViewOfSteps(false, false)));
  EXPECT_FALSE(Success(ViewOfSteps(true, false)));
  EXPECT_TRUE(Failure(ViewOfSteps(true, false)));
  EXPECT_FALSE(Failure(ViewOfSteps(true, true)));
  EXPECT_TRUE(Cancelled(ViewOfSteps(true, true)));
}

}  // namespace
}  // namespace engine::expr
