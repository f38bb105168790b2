// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression_table.h"
#include "engine/expr/limits.h"

namespace engine::expr {
namespace {

constexpr const char* kFunctionList =
    "functions are: contains, startsWith, endsWith, format, join, toJSON, fromJSON, matches, "
    "success, failure, always, cancelled, hashFiles";
constexpr const char* kQuoteHint = "a quote inside a string is written twice: 'it''s'";
constexpr const char* kArithmeticHint = "there is no arithmetic in expressions";
constexpr const char* kBraceHint = "braces that mean themselves are written {{ and }}";

constexpr ErrorRow kTokens[] = {
    {"nothing", "", "the expression is empty", 0, 0, ""},
    {"only spaces", "  ", "the expression is empty", 0, 2, ""},
    {"open string", "x == 'abc", "this string is not closed", 5, 4, kQuoteHint},
    {"open string by a doubled quote", "'a''", "this string is not closed", 0, 4, kQuoteHint},
    {"double quotes", R"(x == "a")", R"(unexpected '"a"')", 5, 3,
     "strings stand in single quotes: 'text'"},
    {"one equals sign", "x = 1", "unexpected '='", 2, 1, "did you mean '=='?"},
    {"one ampersand", "x & 1", "unexpected '&'", 2, 1, "did you mean '&&'?"},
    {"one bar", "x | 1", "unexpected '|'", 2, 1, "did you mean '||'?"},
    {"bad number", "1.2.3", "'1.2.3' is not a number", 0, 5, ""},
    {"bad hexadecimal", "0xfg", "'0xfg' is not a number", 0, 4, ""},
    {"bad octal", "0o8", "'0o8' is not a number", 0, 3, ""},
    {"empty hexadecimal", "0x", "'0x' is not a number", 0, 2, ""},
    {"number and letters", "12ab", "'12ab' is not a number", 0, 4, ""},
    {"open exponent", "1e", "'1e' is not a number", 0, 2, ""},
    {"lonely dot", ".", "'.' is not a number", 0, 1, ""},
    {"lonely minus", "-", "'-' is not a number", 0, 1, ""},
    {"minus of a name", "-x", "'-x' is not a number", 0, 2, ""},
    {"minus NaN", "-NaN", "'-NaN' is not a number", 0, 4, ""},
    {"sum of numbers", "1+2", "'1+2' is not a number", 0, 3, kArithmeticHint},
    {"sum with spaces", "x + 2", "'+' is not a number", 2, 1, kArithmeticHint},
    {"difference", "3-x", "'3-x' is not a number", 0, 3, kArithmeticHint},
    {"quotient", "x / 2", "unexpected '/'", 2, 1, kArithmeticHint},
    {"sign in a name", "x.b@r", "unexpected 'b@r'", 2, 3, ""},
    {"dollar", "$x", "unexpected '$x'", 0, 2, ""},
    {"letter beyond ASCII", "x.größe", "unexpected 'größe'", 2, 7, ""},
};

TEST(TokenErrors, SayWhatAndWhere) {
  ExpectErrors(kTokens);
}

constexpr ErrorRow kSyntax[] = {
    {"open bracket", "(x", "the expression ends where ')' should follow", 2, 0, ""},
    {"closed twice", "(x))", "unexpected ')'", 3, 1, "an operator or the end should stand here"},
    {"nothing in brackets", "()", "unexpected ')'", 1, 1, "a value should stand here"},
    {"open index", "x[0", "the expression ends where ']' should follow", 3, 0, ""},
    {"empty index", "x[]", "unexpected ']'", 2, 1, "a value should stand here"},
    {"two in an index", "x[1, 2]", "unexpected ','", 3, 1, "']' should stand here"},
    {"wrong bracket", "x[0)", "unexpected ')'", 3, 1, "']' should stand here"},
    {"operator at the end", "x ==", "the expression ends where a value should follow", 4, 0, ""},
    {"operator at the start", "&& x", "unexpected '&&'", 0, 2, "a value should stand here"},
    {"two operators", "x == == x", "unexpected '=='", 5, 2, "a value should stand here"},
    {"not at the end", "!", "the expression ends where a value should follow", 1, 0, ""},
    {"two values", "x x", "unexpected 'x'", 2, 1, "an operator or the end should stand here"},
    {"the word and", "x and x", "unexpected 'and'", 2, 3, "write '&&'"},
    {"the word or", "x OR x", "unexpected 'OR'", 2, 2, "write '||'"},
    {"the word is", "x is 1", "unexpected 'is'", 2, 2, "write '=='"},
    {"dot at the end", "x.", "the expression ends where a name or '*' should follow", 2, 0, ""},
    {"two dots", "x..a", "unexpected '.'", 2, 1, "a name or '*' should stand here"},
    {"number after a dot", "x.1", "unexpected '1'", 2, 1, "write ['1'] for a member of that name"},
    {"string after a dot", "x.'a'", "unexpected ''a''", 2, 3, "a name or '*' should stand here"},
    {"star alone", "*", "unexpected '*'", 0, 1, "a value should stand here"},
    {"member of a literal", "'a'.b", "a literal has no members", 3, 1, ""},
    {"index of a literal", "null[0]", "a literal has no members", 4, 1, ""},
    {"comma", "x, x", "unexpected ','", 1, 1, "an operator or the end should stand here"},
    {"call of a member", "x.a()", "unexpected '('", 3, 1,
     "an operator or the end should stand here"},
    {"call of a keyword", "true()", "unexpected '('", 4, 1,
     "an operator or the end should stand here"},
    {"capital keyword", "x == True", "'True' is not known", 5, 4, "did you mean 'true'?"},
    {"NULL", "NULL", "'NULL' is not known", 0, 4, "did you mean 'null'?"},
    {"nan", "nan", "'nan' is not known", 0, 3, "did you mean 'NaN'?"},
    {"open call", "format('a'", "the expression ends where ',' or ')' should follow", 10, 0, ""},
    {"comma without an argument", "join(x,)", "unexpected ')'", 7, 1, "a value should stand here"},
    {"argument without a comma", "join(x x)", "unexpected 'x'", 7, 1,
     "',' or ')' should stand here"},
};

TEST(SyntaxErrors, SayWhatAndWhere) {
  ExpectErrors(kSyntax);
}

constexpr ErrorRow kCalls[] = {
    {"unknown function", "x && startWith('a', 'b')", "there is no function 'startWith'", 5, 9,
     "did you mean 'startsWith'?"},
    {"unknown function, nothing near", "quux(x)", "there is no function 'quux'", 0, 4,
     kFunctionList},
    {"too few", "contains('a')", "contains() takes 2 arguments, not 1", 0, 13, ""},
    {"too many", "!toJSON(x, 1)", "toJSON() takes 1 argument, not 2", 1, 12, ""},
    {"none at all", "format()", "format() takes 1 or more arguments, not 0", 0, 8, ""},
    {"more than two", "join(1, 2, 3)", "join() takes 1 to 2 arguments, not 3", 0, 13, ""},
    {"status with an argument", "success('a')", "success() takes no arguments, not 1", 0, 12, ""},
    {"index without a value", "format('{0} {1}', x)", "'{1}' has no value: 1 is given", 7, 9,
     kBraceHint},
    {"index without any", "format('{0}')", "'{0}' has no value: 0 are given", 7, 5, kBraceHint},
    {"huge index", "format('{99999999999999999999}')",
     "'{99999999999999999999}' has no value: 0 are given", 7, 24, kBraceHint},
    {"open brace", "format('a {', x)", "'{' is not closed", 7, 5, kBraceHint},
    {"closing brace", "format('a } b', x)", "'}' without a '{' before it", 7, 7, kBraceHint},
    {"closing braces, odd", "format('{0}}', x)", "'}' without a '{' before it", 7, 6, kBraceHint},
    {"no number", "format('{a}', x)", "'{a}' holds no index", 7, 5, kBraceHint},
    {"space", "format('{ 0 }', x)", "'{ 0 }' holds no index", 7, 7, kBraceHint},
    {"negative", "format('{-1}', x)", "'{-1}' holds no index", 7, 6, kBraceHint},
    {"specifier", "format('{0:yyyy}', x)", "'{0:yyyy}' has a format specifier; there are none", 7,
     10, kBraceHint},
    {"format from a context", "format(x.name[0] || '{9}', 1)", "'{9}' has no value: 1 is given", 7,
     18, kBraceHint},
    {"bad pattern", "matches(x, 'a(')", "bad regular expression: missing ): a(", 11, 4, ""},
    {"back reference", R"(matches(x, '(a)\1'))",
     R"(bad regular expression: invalid escape sequence: \1)", 11, 7, ""},
    {"pattern from a context", "matches('', x.name == 'text' && '[')",
     "bad regular expression: missing ]: [", 12, 23, ""},
    {"no JSON", "fromJSON('')",
     "this is no valid JSON: line 1, column 1: syntax error while parsing value - unexpected end "
     "of "
     "input; expected '[', '{', or a literal",
     9, 2, "the text is empty"},
    {"broken JSON", "true && fromJSON('[1,\n 2,]')",
     "this is no valid JSON: line 2, column 4: syntax error while parsing value - unexpected ']'; "
     "expected '[', '{', or a literal",
     17, 10, ""},
    {"JSON and more", "fromJSON('1 2')",
     "this is no valid JSON: line 1, column 3: syntax error while parsing value - unexpected "
     "number "
     "literal; expected end of input",
     9, 5, ""},
    {"JSON of an array", "fromJSON(x.a)",
     "this is no valid JSON: line 1, column 1: syntax error while parsing value - invalid literal; "
     "last read: 'A'",
     9, 3, ""},
    {"JSON number out of range", "fromJSON('1e999')",
     "this is no valid JSON: number overflow parsing '1e999'", 9, 7, ""},
    {"unknown context", "true && y.a", "'y' is not known here", 8, 1, "did you mean 'x'?"},
    {"unknown context, nothing near", "github.ref", "'github' is not known here", 0, 6,
     "here one can use: x"},
    {"context in an argument", "format('{0}', contains(secret, 'a'))", "'secret' is not known here",
     23, 6, "here one can use: x"},
};

TEST(CallErrors, SayWhatAndWhere) {
  ExpectErrors(kCalls);
}

std::string Repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

std::string ErrorOf(const std::string& expression, std::string_view context = "") {
  const auto value = Evaluated(expression, ScopeWith(context));
  return value.ok() ? "" : value.error().message;
}

TEST(Limits, BoundNesting) {
  for (const std::string_view open : {"(", "x[", "join(", "!(", "x && (", "1 == (", "x.a["}) {
    EXPECT_EQ(ErrorOf(Repeated(open, 101)), "nested deeper than 100 levels") << open;
    EXPECT_EQ(ErrorOf(Repeated(open, 3000)), "nested deeper than 100 levels") << open;
  }
  EXPECT_EQ(ErrorOf(Repeated("(", 100) + "1" + Repeated(")", 100)), "");
  EXPECT_EQ(ErrorOf(Repeated("join(", 100) + "1" + Repeated(")", 100)), "");
}

TEST(Limits, DoNotBoundChains) {
  EXPECT_EQ(ErrorOf(Repeated("!", 20'000) + "1"), "");
  EXPECT_EQ(ErrorOf("x" + Repeated(".a", 10'000)), "");
  EXPECT_EQ(ErrorOf("x" + Repeated("[*]", 6'000), "[]"), "");
  EXPECT_EQ(ErrorOf("1" + Repeated("==1", 6'000)), "");
  EXPECT_EQ(ErrorOf("1" + Repeated("&&1", 6'000)), "");
  EXPECT_EQ(ErrorOf("0" + Repeated("||0", 6'000)), "");
}

TEST(Limits, BoundTheText) {
  EXPECT_EQ(ErrorOf(std::string(kExpressionBytesMax - 1, ' ') + "1"), "");
  EXPECT_EQ(ErrorOf(std::string(kExpressionBytesMax, ' ') + "1"),
            "the expression is 21001 bytes long, more than 21000");
}

TEST(Limits, BoundArguments) {
  EXPECT_EQ(ErrorOf("format('a'" + Repeated(",1", 254) + ")"), "");
  EXPECT_EQ(ErrorOf("format('a'" + Repeated(",1", 255) + ")"),
            "format() takes 1 or more arguments, not 256");
}

TEST(Limits, BoundWhatFormatMakes) {
  const std::string kilobyte = "\"" + std::string(1024, 'a') + "\"";
  EXPECT_EQ(ErrorOf("format('" + Repeated("{0}", 1024) + "', x)", kilobyte), "");
  EXPECT_EQ(ErrorOf("format('" + Repeated("{0}", 1024) + "!', x)", kilobyte),
            "the result of format() would be longer than 1024 KiB");
}

TEST(Limits, BoundWhatJoinMakes) {
  const std::string items = "[1" + Repeated(",1", 4095) + "]";
  EXPECT_EQ(ErrorOf("join(x, '" + std::string(255, '-') + "')", items), "");
  EXPECT_EQ(ErrorOf("join(x, '" + std::string(256, '-') + "')", items),
            "the result of join() would be longer than 1024 KiB");
}

TEST(Limits, BoundWhatToJsonMakes) {
  const std::string text = "\"" + Repeated("\\u0001", 200'000) + "\"";
  EXPECT_EQ(ErrorOf("x", text), "");
  EXPECT_EQ(ErrorOf("toJSON(x)", text), "the result of toJSON() would be longer than 1024 KiB");
}

TEST(Limits, BoundJsonNesting) {
  EXPECT_EQ(ErrorOf("fromJSON('" + Repeated("[", 100) + Repeated("]", 100) + "')"), "");
  EXPECT_EQ(ErrorOf("fromJSON('[\"[[\\\"[\",\n" + Repeated("[", 100) + Repeated("]", 101) + "')"),
            "this is no valid JSON: line 2, column 100: nested deeper than 100 levels");
}

TEST(Limits, BoundWork) {
  const std::string megabyte = "\"" + std::string(1 << 20, 'a') + "\"";
  const std::string once = "contains(x, 'b')";
  EXPECT_EQ(ErrorOf(once + Repeated("||" + once, 20), megabyte), "");
  EXPECT_EQ(ErrorOf(once + Repeated("||" + once, 100), megabyte),
            "evaluating this takes too much work: over 64 MiB made or looked through");
  EXPECT_EQ(ErrorOf("x.a == x.b" + Repeated("|| x.a == x.b", 100),
                    "{\"a\":" + megabyte + ",\"b\":" + megabyte.substr(0, 1000) + "\"}"),
            "evaluating this takes too much work: over 64 MiB made or looked through");
}

TEST(Limits, BoundPatterns) {
  EXPECT_EQ(ErrorOf("matches('a', '" + std::string(4097, 'a') + "')"),
            "bad regular expression: it is 4097 bytes long, more than 4096");
  EXPECT_EQ(ErrorOf("matches('a', '((a{100}){100}){100}')"),
            "bad regular expression: invalid repetition size: {100}");
  const std::string patterns = Repeated("matches('b', x) || ", 500) + "false";
  EXPECT_EQ(ErrorOf(patterns, "\"" + Repeated("(a|b)?c", 40) + "\""),
            "evaluating this takes too much work: over 64 MiB made or looked through");
}

TEST(Limits, KeepSearchLinear) {
  // A naive search would take 2^38 steps.
  const std::string text(1 << 20, 'a');
  MapScope scope;
  scope.Set("text", Value::String(text));
  scope.Set("part", Value::String(text.substr(0, 1 << 19) + "b"));
  const auto value = Evaluated("contains(text, part)", scope);
  ASSERT_TRUE(value.ok());
  EXPECT_FALSE(value.value().boolean());
}

TEST(Errors, AreValidUtf8) {
  MapScope scope;
  scope.Set("x", Value::String("{\xff\xc3"));
  const auto value = Evaluated("fromJSON(x)", scope);
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().message.find('\xff'), std::string::npos);
  const auto format = Evaluated("format('{' + x)", scope);
  ASSERT_FALSE(format.ok());
  EXPECT_EQ(Evaluated("x \xff\xfe", scope).error().message,
            "unexpected '\xEF\xBF\xBD\xEF\xBF\xBD'");
}

}  // namespace
}  // namespace engine::expr
