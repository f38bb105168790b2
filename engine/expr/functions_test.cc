// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression_table.h"

namespace engine::expr {
namespace {

constexpr ValueRow kContains[] = {
    {"substring", "contains('Hello world', 'llo')", "", "true"},
    {"no substring", "contains('Hello world', 'lo w!')", "", "false"},
    {"without regard to case", "contains('Hello', 'ELL')", "", "true"},
    {"other letters", "contains('GRÜẞE', 'rü')", "", "true"},
    {"empty in something", "contains('abc', '')", "", "true"},
    {"empty in empty", "contains('', '')", "", "true"},
    {"something in empty", "contains('', 'a')", "", "false"},
    {"number in a number", "contains(12345, 34)", "", "true"},
    {"boolean as text", "contains(true, 'RU')", "", "true"},
    {"null is empty text", "contains('abc', null)", "", "true"},
    {"in null", "contains(null, 'a')", "", "false"},
    {"item", "contains(x, 'push')", R"(["push","pull"])", "true"},
    {"item, other case", "contains(x, 'PUSH')", R"(["push","pull"])", "true"},
    {"no part of an item", "contains(x, 'pus')", R"(["push","pull"])", "false"},
    {"number as text item", "contains(x, 1)", R"(["1"])", "true"},
    {"text as number item", "contains(x, '1')", "[1]", "true"},
    {"null item", "contains(x, null)", "[null]", "true"},
    {"null and zero", "contains(x, null)", "[0]", "true"},
    {"item of an empty array", "contains(x, '')", "[]", "false"},
    {"array in itself", "contains(x, x[0])", "[[1]]", "true"},
    {"equal array", "contains(x.a, x.b)", R"({"a":[[1]],"b":[1]})", "false"},
    {"in an object", "contains(x, 'a')", R"({"a":1})", "false"},
    {"array in text", "contains('Array', x)", "[]", "false"},
    {"name in any case", "CONTAINS('a', 'a')", "", "true"},
};

TEST(Contains, LooksForTextOrItems) {
  ExpectValues(kContains);
}

constexpr ValueRow kEnds[] = {
    {"starts", "startsWith('Hello world', 'He')", "", "true"},
    {"starts, other case", "startsWith('Hello world', 'hE')", "", "true"},
    {"does not start", "startsWith('Hello', 'el')", "", "false"},
    {"starts with all", "startsWith('Hello', 'hello')", "", "true"},
    {"starts with more", "startsWith('He', 'Hello')", "", "false"},
    {"starts with nothing", "startsWith('He', '')", "", "true"},
    {"starts, number", "startsWith(123, 12)", "", "true"},
    {"starts, null", "startsWith(null, '')", "", "true"},
    {"starts, array", "startsWith(x, 'A')", "[]", "false"},
    {"starts, with an object", "startsWith('Object', x)", "{}", "false"},
    {"ends", "endsWith('Hello world', 'LD')", "", "true"},
    {"does not end", "endsWith('Hello world', 'l')", "", "false"},
    {"ends with nothing", "endsWith('a', '')", "", "true"},
    {"ends with more", "endsWith('d', 'ld')", "", "false"},
    {"ends, number", "endsWith(1.5, .5)", "", "false"},
    {"ends, text of a number", "endsWith(1.5, '.5')", "", "true"},
    {"ends, boolean", "endsWith(false, 'SE')", "", "true"},
    {"ends, umlaut", "endsWith('TÜ', 'ü')", "", "true"},
    {"ends, object", "endsWith(x, 't')", "{}", "false"},
};

TEST(StartsAndEnds, CompareWithoutCase) {
  ExpectValues(kEnds);
}

constexpr ValueRow kFormat[] = {
    {"values", "format('Hello {0} {1} {2}', 'Mona', 'the', 'Octocat')", "",
     R"("Hello Mona the Octocat")"},
    {"escaped braces", "format('{{Hello {0}!}}', 'Mona')", "", R"("{Hello Mona!}")"},
    {"value in braces", "format('{{{0}}}', 1)", "", R"("{1}")"},
    {"only braces", "format('{{}}{{}}')", "", R"("{}{}")"},
    {"out of order and twice", "format('{1}{0}{1}', 'a', 'b')", "", R"("bab")"},
    {"unused values", "format('a', 1, 2)", "", R"("a")"},
    {"empty", "format('')", "", R"("")"},
    {"leading zero", "format('{00}', 'a')", "", R"("a")"},
    {"two digits", "format('{10}', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'ten')", "", R"("ten")"},
    {"null", "format('[{0}]', null)", "", R"("[]")"},
    {"boolean", "format('{0}', true)", "", R"("true")"},
    {"array", "format('{0}', x)", "[1]", R"("Array")"},
    {"object", "format('{0}', x)", "{}", R"("Object")"},
    {"braces in values stay", "format('{0}', '{1}}')", "", R"("{1}}")"},
    {"format from a context", "format(x, 'b')", R"("a{0}c")", R"("abc")"},
    {"number as format", "format(5)", "", R"("5")"},
};

TEST(Format, FillsIn) {
  ExpectValues(kFormat);
}

constexpr ValueRow kJoin[] = {
    {"comma by default", "join(x)", "[1,2,3]", R"("1,2,3")"},
    {"separator", "join(x, ', ')", R"(["bug","help wanted"])", R"("bug, help wanted")"},
    {"empty separator", "join(x, '')", "[1,2]", R"("12")"},
    {"null separator is empty", "join(x, null)", "[1,2]", R"("12")"},
    {"number separator", "join(x, 0)", "[1,2]", R"("102")"},
    {"array separator is a comma", "join(x, x)", "[1,2]", R"("1,2")"},
    {"one item", "join(x, '-')", "[1]", R"("1")"},
    {"no item", "join(x)", "[]", R"("")"},
    {"all kinds", "join(x, ' ')", R"([null,true,1.5,"a",[1],{"b":2}])",
     R"(" true 1.5 a Array Object")"},
    {"text", "join('abc', '-')", "", R"("abc")"},
    {"number", "join(5)", "", R"("5")"},
    {"null", "join(null)", "", R"("")"},
    {"object", "join(x)", R"({"a":1})", R"("")"},
};

TEST(Join, PutsTogether) {
  ExpectValues(kJoin);
}

constexpr ValueRow kToJson[] = {
    {"null", "toJSON(null)", "", R"("null")"},
    {"number", "toJSON(-1234.5)", "", R"("-1234.5")"},
    {"minus zero", "toJSON(-0)", "", R"("0")"},
    {"a number that needs 17 digits", "toJSON(0.30000000000000004)", "",
     R"("0.30000000000000004")"},
    {"a large whole number", "toJSON(9007199254740991)", "", R"("9007199254740991")"},
    {"NaN", "toJSON(NaN)", "", R"("null")"},
    {"infinity", "toJSON(-Infinity)", "", R"("null")"},
    {"text", "toJSON('a\"b\\c')", "", R"("\"a\\\"b\\\\c\"")"},
    {"control characters", "toJSON('\n\t\x01')", "", R"("\"\\n\\t\\u0001\"")"},
    {"empty array", "toJSON(x)", "[]", R"("[]")"},
    {"empty object", "toJSON(x)", "{}", R"("{}")"},
    {"array", "toJSON(x)", "[1,2]", R"("[\n  1,\n  2\n]")"},
    {"nested", "toJSON(x)", R"({"a":{"b":[true,{}]},"c":"d"})",
     R"("{\n  \"a\": {\n    \"b\": [\n      true,\n      {}\n    ]\n  },\n  \"c\": \"d\"\n}")"},
    {"name in any case", "tojson(1)", "", R"("1")"},
    {"there and back", "fromJSON(toJSON(x)).a[1].b", R"({"a":[1,{"b":"c"}]})", R"("c")"},
};

TEST(ToJson, IsPretty) {
  ExpectValues(kToJson);
}

constexpr ValueRow kFromJson[] = {
    {"null", "fromJSON('null')", "", "null"},
    {"boolean", "fromJSON('true') == true", "", "true"},
    {"number", "fromJSON(' -12.5 ')", "", "-12.5"},
    {"number from a context", "fromJSON(x) == 3", R"("3.0")", "true"},
    {"text", "fromJSON('\"a\"')", "", R"("a")"},
    {"escapes", R"(fromJSON('"\u00e9\n\ud83c\udf89"'))", "", R"("é\n🎉")"},
    {"array", "fromJSON('[1, \"a\", null]')", "", R"([1,"a",null])"},
    {"object keeps its order", R"(fromJSON('{"b":1,"a":2}'))", "", R"({"b":1,"a":2})"},
    {"the last of equal keys wins", R"(fromJSON('{"a":1,"b":2,"a":3,"a":4}'))", "",
     R"({"a":4,"b":2})"},
    {"keys that differ in case", R"(fromJSON('{"a":1,"A":2}'))", "", R"({"a":1,"A":2})"},
    {"large whole number", "fromJSON('12345678901234567890')", "", "1.2345678901234567E+19"},
    {"of a number", "fromJSON(12)", "", "12"},
    {"of a boolean", "fromJSON(false)", "", "false"},
    {"a quote", R"(fromJSON('"abc''def"'))", "", R"("abc'def")"},
    {"matrix idiom", "fromJSON(x).os", R"("{\"os\":[\"a\",\"b\"]}")", R"(["a","b"])"},
};

TEST(FromJson, Reads) {
  ExpectValues(kFromJson);
}

constexpr ValueRow kMatches[] = {
    {"anywhere", "matches('release/1.2', '[0-9]+')", "", "true"},
    {"not found", "matches('release', '[0-9]+')", "", "false"},
    {"anchored", "matches('v1.2', '^v[0-9]+[.][0-9]+$')", "", "true"},
    {"anchored, more text", "matches('v1.2-rc', '^v[0-9]+[.][0-9]+$')", "", "false"},
    {"case counts", "matches('ABC', 'abc')", "", "false"},
    {"case does not count", "matches('ABC', '(?i)abc')", "", "true"},
    {"empty pattern", "matches('abc', '')", "", "true"},
    {"empty text", "matches('', '^$')", "", "true"},
    {"number", "matches(123, '^1.3$')", "", "true"},
    {"null text", "matches(null, '^$')", "", "true"},
    {"dot takes a whole letter", "matches('é', '^.$')", "", "true"},
    {"dot takes no line break", "matches('a\nb', 'a.b')", "", "false"},
    {"lines on request", "matches('a\nb', '(?m)^b$')", "", "true"},
    {"array", "matches(x, 'A')", "[]", "false"},
    {"array as a pattern", "matches('Array', x)", "[]", "false"},
    {"pattern from a context", "matches('feature-x', x)", R"("^feature-")", "true"},
    {"hard for others", "matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', '^(a+)+$')", "", "false"},
};

TEST(Matches, SearchesWithRe2) {
  ExpectValues(kMatches);
}

constexpr ValueRow kStatus[] = {
    {"success", "success()", "", "true"},
    {"failure", "failure()", "", "false"},
    {"always", "always()", "", "true"},
    {"cancelled", "cancelled()", "", "false"},
    {"any case", "SUCCESS() && Always()", "", "true"},
    {"space before the bracket", "success ( )", "", "true"},
    {"not", "!cancelled() && 'go'", "", R"("go")"},
};

TEST(StatusFunctions, AreAskedOfTheScope) {
  ExpectValues(kStatus);
}

TEST(HostFunctions, GetTheirArguments) {
  MapScope scope;
  scope.SetFunction("hashFiles", [](std::span<const Value> arguments) -> Result<Value> {
    return Value::String(arguments[0].ToDisplay() + "|" + arguments[1].ToDisplay());
  });
  const auto value = Evaluated("hashfiles('**/*.lock', 1)", scope);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value.value().ToDisplay(), "**/*.lock|1");
}

TEST(HostFunctions, FailAtTheCall) {
  MapScope scope;
  scope.SetFunction("hashFiles", [](std::span<const Value>) -> Result<Value> {
    return Error{"cannot read", "try again", 99, 99};
  });
  const auto value = Evaluated("1 == hashFiles('a')", scope);
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().message, "cannot read");
  EXPECT_EQ(value.error().hint, "try again");
  EXPECT_EQ(value.error().offset, 5U);
  EXPECT_EQ(value.error().length, 14U);
}

TEST(HostFunctions, MayBeMissing) {
  const auto value = Evaluated("true && hashFiles('a')", MapScope());
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().message, "hashFiles() is not available here");
  EXPECT_EQ(value.error().offset, 8U);
  EXPECT_EQ(value.error().length, 9U);
}

}  // namespace
}  // namespace engine::expr
