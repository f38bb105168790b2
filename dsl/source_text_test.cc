// SPDX-License-Identifier: Apache-2.0
#include "dsl/source_text.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "dsl/document.h"
#include "dsl/parse.h"

namespace dsl {
namespace {

TEST(SourceText, CountsColumnsInCodePoints) {
  const SourceText source("f", "a\nä€😀x\n");
  EXPECT_EQ(source.At(0), (LineColumn{1, 1}));
  EXPECT_EQ(source.At(2), (LineColumn{2, 1}));
  EXPECT_EQ(source.At(4), (LineColumn{2, 2}));
  EXPECT_EQ(source.At(7), (LineColumn{2, 3}));
  EXPECT_EQ(source.At(11), (LineColumn{2, 4}));
  EXPECT_EQ(source.At(13), (LineColumn{3, 1}));
  EXPECT_EQ(source.At(9999), (LineColumn{3, 1}));
}

TEST(SourceText, CountsColumnsAcrossItsBlocks) {
  std::string text = "x\n";
  for (int i = 0; i < 3000; ++i) {
    text += "ä";
  }
  const SourceText source("f", text);
  EXPECT_EQ(source.At(2 + 2 * 2999), (LineColumn{2, 3000}));
}

TEST(SourceText, CutsLongLinesAroundThePlace) {
  const SourceText source("f", std::string(5000, 'a') + "HERE" + std::string(5000, 'b'));
  const Excerpt excerpt = source.ExcerptAt(5000);
  EXPECT_LT(excerpt.text.size(), 500U);
  EXPECT_EQ(excerpt.text.substr(5001 - excerpt.column, 4), "HERE");
}

TEST(SourceText, LeavesLineBreaksOut) {
  const SourceText source("f", "ab\r\ncd");
  EXPECT_EQ(source.ExcerptAt(0).text, "ab");
  EXPECT_EQ(source.ExcerptAt(5).text, "cd");
}

TEST(Utf8, IsHeldAgainstTheStandard) {
  const struct {
    const char* name;
    std::string text;
    std::size_t bad;
  } cases[] = {
      {"ascii", "abc", 3},
      {"two to four bytes", "ä€😀", 9},
      {"lone continuation", "a\x80", 1},
      {"cut off", "a\xE2\x82", 1},
      {"overlong", "\xC0\x80", 0},
      {"overlong of three", "\xE0\x80\x80", 0},
      {"surrogate", "\xED\xA0\x80", 0},
      {"beyond the last", "\xF4\x90\x80\x80", 0},
      {"the last", "\xF4\x8F\xBF\xBF", 4},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(FindInvalidUtf8(c.text), c.bad) << c.name;
  }
}

/// Finds `needle` in the value of `a` and again in the source, through the scalar's style.
struct Style {
  const char* name;
  const char* yaml;
  const char* needle;
  LineColumn at;
};

class OffsetInScalarTest : public testing::TestWithParam<Style> {};

TEST_P(OffsetInScalarTest, FindsThePlace) {
  Reporter reporter(10);
  const auto document = Parse("f", GetParam().yaml, 0, reporter);
  ASSERT_NE(document, nullptr);
  const NodeRef value = NodeRef(*document, document->root).value(0);
  const std::size_t position = value.text().find(GetParam().needle);
  ASSERT_NE(position, std::string_view::npos) << value.text();
  const std::uint32_t offset =
      OffsetInScalar(document->source, value.offset(), value.text(), position);
  EXPECT_EQ(document->source.At(offset), GetParam().at);
}

const Style kStyles[] = {
    {"Plain", "a: one two", "two", {1, 8}},
    {"PlainOverLines", "a: one\n   two\n  three", "three", {3, 3}},
    {"PlainWithBlankLine", "a: one\n\n   two", "two", {3, 4}},
    {"SingleQuoted", "a: 'it''s two'", "two", {1, 11}},
    {"DoubleQuoted", R"(a: "x\ty\u00e4 \x41\"two")", "two", {1, 22}},
    {"DoubleQuotedOverLines", "a: \"one\n   two\\\n   three four\"", "four", {3, 10}},
    {"Literal", "a: |\n  one\n    two\n  three", "three", {4, 3}},
    {"LiteralInner", "a: |\n  one\n    two\n", "two", {3, 5}},
    {"LiteralWithIndicator", "a: |2-\n    one\n  two", "two", {3, 3}},
    {"LiteralBlankFirst", "a: |\n\n  one\n  two", "two", {4, 3}},
    {"Folded", "a: >\n  one\n  two\n\n  three", "three", {5, 3}},
    {"Anchored", "a: &x one two", "two", {1, 11}},
    {"AnchoredOnItsOwnLine", "a: &x\n  one two", "two", {2, 7}},
    {"Umlauts", "a: ä ö two", "two", {1, 8}},
    {"CarriageReturns", "a: |\r\n  one\r\n  two\r\n", "two", {3, 3}},
};
INSTANTIATE_TEST_SUITE_P(Styles, OffsetInScalarTest, testing::ValuesIn(kStyles),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace dsl
