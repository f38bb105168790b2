// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression.h"

#include <fmt/format.h>

#include "engine/expr/expression_table.h"

namespace engine::expr {
namespace {

// `name.path@offset+length`, one after the other.
std::string ReferencesOf(std::string_view text) {
  const auto parsed = Expression::Parse(text);
  if (!parsed.ok()) {
    return parsed.error().message;
  }
  std::string all;
  for (const Reference& reference : parsed.value().References()) {
    all += fmt::format("{}{}@{}+{}", all.empty() ? "" : " ", fmt::join(reference.path, "."),
                       reference.offset, reference.length);
  }
  return all;
}

struct ReferenceRow {
  const char* name;
  const char* expression;
  const char* references;
};

constexpr ReferenceRow kReferences[] = {
    {"none", "1 == 'a'", ""},
    {"a context", "branch", "branch@0+6"},
    {"members", "needs.build.outputs.x", "needs.build.outputs.x@0+21"},
    {"as written", "Needs.BUILD", "Needs.BUILD@0+11"},
    {"quoted", "needs['build'].outputs", "needs.build.outputs@0+22"},
    {"spaces", "needs . build", "needs.build@0+13"},
    {"number", "a[0].b", "a.0.b@0+6"},
    {"computed ends it", "a.b[c.d].e", "a.b@0+3 c.d@4+3"},
    {"filtered ends it", "a.b.*.c", "a.b@0+3"},
    {"in a call", "format('{0}', a.b, c)", "a.b@14+3 c@19+1"},
    {"everywhere", "!a && (b.c || d[e]) == f", "a@1+1 b.c@7+3 d@14+1 e@16+1 f@23+1"},
    {"of brackets", "(a || b).c", "a@1+1 b@6+1"},
    {"twice", "a.b == a.b", "a.b@0+3 a.b@7+3"},
};

TEST(References, NameWhatIsRead) {
  for (const ReferenceRow& row : kReferences) {
    EXPECT_EQ(ReferencesOf(row.expression), row.references) << row.name;
  }
}

TEST(Functions, NameWhatIsCalled) {
  const auto parsed = Expression::Parse("tojson(x) && FORMAT('{0}', success())");
  ASSERT_TRUE(parsed.ok());
  std::string all;
  for (const FunctionUse& use : parsed.value().Functions()) {
    all += fmt::format("{}@{}+{} ", use.name, use.offset, use.length);
  }
  EXPECT_EQ(all, "toJSON@0+6 format@13+6 success@27+7 ");
}

TEST(FunctionNames, HoldThemAll) {
  EXPECT_EQ(fmt::format("{}", fmt::join(FunctionNames(), " ")),
            "contains startsWith endsWith format join toJSON fromJSON matches success failure "
            "always cancelled hashFiles");
}

TEST(DecidesAlone, WhenAStatusOtherThanSuccessIsAsked) {
  const auto decides = [](std::string_view text) {
    const auto parsed = Expression::Parse(text);
    return parsed.ok() && parsed.value().DecidesAlone();
  };
  EXPECT_TRUE(decides("always()"));
  EXPECT_TRUE(decides("x == 1 && (FAILURE() || false)"));
  EXPECT_TRUE(decides("format('{0}', x[cancelled()])"));
  EXPECT_FALSE(decides("success()"));
  EXPECT_FALSE(decides("branch == 'always()'"));
  EXPECT_FALSE(decides("x.always"));
}

TEST(Expression, IsNullByDefault) {
  const Expression expression;
  EXPECT_TRUE(expression.Evaluate(MapScope()).value().IsNull());
  EXPECT_TRUE(expression.References().empty());
  EXPECT_FALSE(expression.DecidesAlone());
}

TEST(Expression, OutlivesItsText) {
  std::string text = "format('{0}-{1}', x.name, 'tail')";
  const auto parsed = Expression::Parse(text);
  text.assign(text.size(), '!');
  ASSERT_TRUE(parsed.ok());
  const auto value = parsed.value().Evaluate(ScopeWith(R"({"name": "head"})"));
  EXPECT_EQ(value.value().ToDisplay(), "head-tail");
}

}  // namespace
}  // namespace engine::expr
