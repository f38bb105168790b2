// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression_table.h"

namespace engine::expr {
namespace {

MapScope Demo() {
  MapScope scope;
  scope.Set("matrix", JsonValue(R"({"suite": "core", "n": 3, "list": [1, 2]})"));
  scope.Set("branch", Value::String("main"));
  AddStatusFunctions(scope, StatusView());
  return scope;
}

struct TemplateRow {
  const char* name;
  const char* text;
  const char* rendered;
  const char* value;  ///< JSON
  bool has_expression;
};

constexpr TemplateRow kTemplates[] = {
    {"empty", "", "", R"("")", false},
    {"plain", "make -j2", "make -j2", R"("make -j2")", false},
    {"dollar and braces", "$x {{ }} ${y} }}", "$x {{ }} ${y} }}", R"("$x {{ }} ${y} }}")", false},
    {"a number stays a number", "${{ matrix.n }}", "3", "3", true},
    {"an array stays an array", "${{ matrix.list }}", "Array", "[1,2]", true},
    {"null is empty", "${{ null }}", "", "null", true},
    {"no spaces", "${{matrix.n}}", "3", "3", true},
    {"text before", "n=${{ matrix.n }}", "n=3", R"("n=3")", true},
    {"text after", "${{ matrix.n }};", "3;", R"("3;")", true},
    {"a space makes a string", "${{ matrix.n }} ", "3 ", R"("3 ")", true},
    {"two", "${{ matrix.n }}${{ branch }}", "3main", R"("3main")", true},
    {"several", "a ${{ branch }} b ${{ true }} c", "a main b true c", R"("a main b true c")", true},
    {"over lines", "${{\n  branch ==\n  'main'\n}}", "true", "true", true},
    {"closing braces in a string", "${{ '}}' }}", "}}", R"("}}")", true},
    {"quote and braces in a string", "${{ 'a''}}''b' }}", "a'}}'b", R"("a'}}'b")", true},
    {"opening braces in a string", "${{ '${{' }}", "${{", R"("${{")", true},
    {"closing braces after it", "${{ branch }}}}", "main}}", R"("main}}")", true},
    {"escaped", "$${{ matrix.n }}", "${{ matrix.n }}", R"("${{ matrix.n }}")", false},
    {"escaped twice", "$$${{ a", "$${{ a", R"("$${{ a")", false},
    {"escaped beside a real one", "$${{ x }} ${{ branch }}", "${{ x }} main", R"("${{ x }} main")",
     true},
    {"escaped right after one", "${{ branch }}$${{", "main${{", R"("main${{")", true},
    {"dollar right after one", "${{ branch }}${{ branch }}", "mainmain", R"("mainmain")", true},
    {"value with braces is not read again", "${{ '${{ branch }}' }}", "${{ branch }}",
     R"("${{ branch }}")", true},
    {"unicode around", "é ${{ branch }} ü", "é main ü", R"("é main ü")", true},
};

TEST(TemplateText, RendersAndEvaluates) {
  const MapScope scope = Demo();
  for (const TemplateRow& row : kTemplates) {
    SCOPED_TRACE(row.name);
    const auto parsed = TemplateText::Parse(row.text);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed.value().has_expression(), row.has_expression);
    const auto rendered = parsed.value().Render(scope);
    ASSERT_TRUE(rendered.ok()) << rendered.error().message;
    EXPECT_EQ(rendered.value(), row.rendered);
    const auto value = parsed.value().Evaluate(scope);
    ASSERT_TRUE(value.ok()) << value.error().message;
    EXPECT_EQ(value.value().ToJson(), row.value);
  }
}

struct TemplateErrorRow {
  const char* name;
  const char* text;
  const char* message;
  std::size_t offset;
  std::size_t length;
  const char* hint;
};

constexpr const char* kPlainHint = "a plain '${{' is written '$${{'";
constexpr const char* kQuoteHint = "a quote inside a string is written twice: 'it''s'";

constexpr TemplateErrorRow kErrors[] = {
    {"open", "ab ${{ branch", "'${{' is not closed by '}}'", 3, 3, kPlainHint},
    {"half closed", "${{ branch }", "'${{' is not closed by '}}'", 0, 3, kPlainHint},
    {"closed within a string", "${{ 'a }}'", "'${{' is not closed by '}}'", 0, 3, kPlainHint},
    {"open string", "ab ${{ 'a }} b\nc", "this string is not closed", 7, 7, kQuoteHint},
    {"the second is open", "${{ branch }} ${{ x", "'${{' is not closed by '}}'", 14, 3, kPlainHint},
    {"empty", "ab ${{ }} c", "the expression is empty", 3, 6, ""},
    {"empty without a space", "${{}}", "the expression is empty", 0, 5, ""},
    {"syntax", "ab ${{ branch = 1 }}", "unexpected '='", 14, 1, "did you mean '=='?"},
    {"end", "ab ${{ branch == }} c", "the expression ends where a value should follow", 17, 0, ""},
    {"function", "é ${{ fromJson2() }}", "there is no function 'fromJson2'", 7, 9,
     "did you mean 'fromJSON'?"},
    {"evaluation", "ab ${{ branch }} ${{ brunch }}", "'brunch' is not known here", 21, 6,
     "did you mean 'branch'?"},
};

TEST(TemplateText, ErrorsCountFromItsStart) {
  const MapScope scope = Demo();
  for (const TemplateErrorRow& row : kErrors) {
    SCOPED_TRACE(row.name);
    const auto parsed = TemplateText::Parse(row.text);
    const auto value = parsed.ok() ? parsed.value().Evaluate(scope) : Result<Value>(parsed.error());
    if (value.ok()) {
      ADD_FAILURE() << value.value().ToJson();
      continue;
    }
    EXPECT_EQ(value.error().message, row.message);
    EXPECT_EQ(value.error().offset, row.offset);
    EXPECT_EQ(value.error().length, row.length);
    EXPECT_EQ(value.error().hint, row.hint);
  }
}

TEST(TemplateText, OfOneExpressionShiftsItsErrors) {
  const auto parsed = TemplateText::Parse("${{ brunch }}");
  ASSERT_TRUE(parsed.ok());
  const auto value = parsed.value().Evaluate(Demo());
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().offset, 4U);
}

TEST(TemplateText, TellsWhatItReads) {
  const auto parsed =
      TemplateText::Parse("a ${{ needs.build.outputs.x }} b ${{ hashFILES(matrix['a'].b) }}");
  ASSERT_TRUE(parsed.ok());
  const auto references = parsed.value().References();
  ASSERT_EQ(references.size(), 2U);
  EXPECT_EQ(references[0].path, (std::vector<std::string>{"needs", "build", "outputs", "x"}));
  EXPECT_EQ(references[0].offset, 6U);
  EXPECT_EQ(references[0].length, 21U);
  EXPECT_EQ(references[1].path, (std::vector<std::string>{"matrix", "a", "b"}));
  EXPECT_EQ(references[1].offset, 47U);
  const auto functions = parsed.value().Functions();
  ASSERT_EQ(functions.size(), 1U);
  EXPECT_EQ(functions[0].name, "hashFiles");
  EXPECT_EQ(functions[0].offset, 37U);
  EXPECT_EQ(functions[0].length, 9U);
}

TEST(TemplateText, BoundsWhatItRenders) {
  MapScope scope;
  scope.Set("x", Value::String(std::string(1 << 20, 'a')));
  std::string text;
  for (int i = 0; i < 17; ++i) {
    text += "${{ x }}";
  }
  const auto parsed = TemplateText::Parse(text);
  ASSERT_TRUE(parsed.ok());
  const auto rendered = parsed.value().Render(scope);
  ASSERT_FALSE(rendered.ok());
  EXPECT_EQ(rendered.error().message, "the text would be longer than 16 MiB");
}

TEST(TemplateText, IsEmptyByDefault) {
  const TemplateText text;
  EXPECT_FALSE(text.has_expression());
  EXPECT_EQ(text.Render(Demo()).value(), "");
  EXPECT_TRUE(text.References().empty());
}

}  // namespace
}  // namespace engine::expr
