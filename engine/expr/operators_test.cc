// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/expression_table.h"

namespace engine::expr {
namespace {

constexpr ValueRow kLiterals[] = {
    {"null", "null", "", "null"},
    {"true", "true", "", "true"},
    {"false", "false", "", "false"},
    {"spaces around", " \t\n\r true \v\f", "", "true"},
    {"integer", "711", "", "711"},
    {"negative", "-9.2", "", "-9.2"},
    {"plus sign", "+5", "", "5"},
    {"leading dot", ".5", "", "0.5"},
    {"negative leading dot", "-.5", "", "-0.5"},
    {"trailing dot", "5.", "", "5"},
    {"leading zeros", "007", "", "7"},
    {"hexadecimal", "0xff", "", "255"},
    {"hexadecimal, capitals", "0xFF", "", "255"},
    {"hexadecimal beyond 32 bits", "0xffffffffff", "", "1099511627775"},
    {"octal", "0o17", "", "15"},
    {"exponent", "-2.99e-2", "", "-0.0299"},
    {"capital exponent", "1.2E2", "", "120"},
    {"signed exponent", "1.2e+2", "", "120"},
    {"infinity is truthy", "!!Infinity", "", "true"},
    {"minus infinity is small", "-Infinity < -1", "", "true"},
    {"plus infinity", "+Infinity == Infinity", "", "true"},
    {"NaN equals nothing", "NaN == NaN", "", "false"},
    {"NaN differs from itself", "NaN != NaN", "", "true"},
    {"overflow is infinite", "1e999 == Infinity", "", "true"},
    {"long overflow", "1000000000e1000000000000 == Infinity", "", "true"},
    {"negative overflow", "-1e999 == -Infinity", "", "true"},
    {"underflow is zero", "1e-999 == 0", "", "true"},
    {"small digits, large exponent", "0.0000001e400 == Infinity", "", "true"},
    {"string", "'abc'", "", R"("abc")"},
    {"empty string", "''", "", R"("")"},
    {"doubled quote", "'It''s open source!'", "", R"("It's open source!")"},
    {"only a quote", "''''", "", R"("'")"},
    {"double quotes within", R"('say "hi"')", "", R"("say \"hi\"")"},
    {"brackets within a string", "'}} ${{ ]['", "", R"("}} ${{ ][")"},
    {"line break within a string", "'a\nb'", "", R"("a\nb")"},
    {"unicode string", "'naïve ✓ 🎉'", "", R"("naïve ✓ 🎉")"},
};

TEST(Literals, HaveTheirValue) {
  ExpectValues(kLiterals);
}

constexpr ValueRow kNumbersAsText[] = {
    {"integer", "format('{0}', 1.0)", "", R"("1")"},
    {"minus zero", "format('{0}', -0)", "", R"("0")"},
    {"tenth", "format('{0}', 0.1)", "", R"("0.1")"},
    {"a sum that is not quite", "format('{0}', 0.30000000000000004)", "", R"("0.3")"},
    {"fifteen digits", "format('{0}', 0.84551240822557006)", "", R"("0.84551240822557")"},
    {"largest without exponent", "format('{0}', 999999999999999)", "", R"("999999999999999")"},
    {"smallest with exponent", "format('{0}', 1000000000000000)", "", R"("1E+15")"},
    {"large", "format('{0}', 1e21)", "", R"("1E+21")"},
    {"large and rounded", "format('{0}', 123456789012345678)", "", R"("1.23456789012346E+17")"},
    {"small without exponent", "format('{0}', 0.0001)", "", R"("0.0001")"},
    {"small with exponent", "format('{0}', 0.00001)", "", R"("1E-05")"},
    {"three digit exponent", "format('{0}', 1e-300)", "", R"("1E-300")"},
    {"NaN", "format('{0}', NaN)", "", R"("NaN")"},
    {"infinity", "format('{0}', Infinity)", "", R"("Infinity")"},
    {"minus infinity", "format('{0}', -Infinity)", "", R"("-Infinity")"},
    {"hexadecimal", "format('{0}', 0x10)", "", R"("16")"},
};

TEST(NumbersAsText, FollowTheRunner) {
  ExpectValues(kNumbersAsText);
}

constexpr ValueRow kTruthiness[] = {
    {"null", "!null", "", "true"},
    {"false", "!false", "", "true"},
    {"true", "!true", "", "false"},
    {"zero", "!0", "", "true"},
    {"minus zero", "!-0", "", "true"},
    {"NaN", "!NaN", "", "true"},
    {"number", "!0.1", "", "false"},
    {"empty string", "!''", "", "true"},
    {"string", "!'a'", "", "false"},
    {"the string false", "!'false'", "", "false"},
    {"the string 0", "!'0'", "", "false"},
    {"space", "!' '", "", "false"},
    {"empty array", "!x", "[]", "false"},
    {"empty object", "!x", "{}", "false"},
    {"twice", "!!'a'", "", "true"},
    {"three times", "!!!'a'", "", "false"},
    {"four times with spaces", "! ! ! ! ''", "", "false"},
};

TEST(Truthiness, IsSeenThroughNot) {
  ExpectValues(kTruthiness);
}

constexpr ValueRow kEquality[] = {
    {"null, null", "null == null", "", "true"},
    {"null, zero", "null == 0", "", "true"},
    {"null, false", "null == false", "", "true"},
    {"null, true", "null == true", "", "false"},
    {"null, empty string", "null == ''", "", "true"},
    {"null, blank string", "null == '  '", "", "true"},
    {"null, string 0", "null == '0'", "", "true"},
    {"null, string", "null == 'null'", "", "false"},
    {"null, array", "null == x", "[]", "false"},
    {"null, object", "null == x", "{}", "false"},
    {"boolean, boolean", "true == true", "", "true"},
    {"boolean, other", "true == false", "", "false"},
    {"boolean, number", "true == 1", "", "true"},
    {"boolean, other number", "true == 2", "", "false"},
    {"boolean, string number", "true == '1'", "", "true"},
    {"boolean, its word", "true == 'true'", "", "false"},
    {"false, empty string", "false == ''", "", "true"},
    {"boolean, array", "true == x", "[1]", "false"},
    {"number, number", "1 == 1.0", "", "true"},
    {"number, string", "1 == '1'", "", "true"},
    {"number, padded string", "1 == ' 1 '", "", "true"},
    {"number, string with exponent", "100 == '1e2'", "", "true"},
    {"number, hexadecimal string", "255 == '0xff'", "", "true"},
    {"number, octal string", "8 == '0o10'", "", "true"},
    {"number, capital hexadecimal prefix", "255 == '0XFF'", "", "false"},
    {"number, signed hexadecimal", "-1 == '-0x1'", "", "false"},
    {"number, plus string", "1 == '+1'", "", "true"},
    {"number, dotted string", "0.5 == '.5'", "", "true"},
    {"number, dot", "0 == '.'", "", "false"},
    {"number, two signs", "1 == '--1'", "", "false"},
    {"number, word", "0 == 'a'", "", "false"},
    {"number, half a number", "1 == '1a'", "", "false"},
    {"number, thousands", "1000 == '1,000'", "", "false"},
    {"number, infinity string", "Infinity == 'Infinity'", "", "true"},
    {"number, minus infinity string", "-Infinity == '-Infinity'", "", "true"},
    {"number, small infinity", "Infinity == 'infinity'", "", "false"},
    {"number, inf", "Infinity == 'inf'", "", "false"},
    {"NaN, string NaN", "NaN == 'NaN'", "", "false"},
    {"zero, empty string", "0 == ''", "", "true"},
    {"zero, minus zero", "0 == -0", "", "true"},
    {"number, array", "1 == x", "[1]", "false"},
    {"string, string", "'a' == 'a'", "", "true"},
    {"string, other case", "'Main' == 'mAIN'", "", "true"},
    {"string, other", "'a' == 'b'", "", "false"},
    {"string, prefix", "'a' == 'ab'", "", "false"},
    {"numbers as strings stay strings", "'1' == '1.0'", "", "false"},
    {"string, array", "'Array' == x", "[]", "false"},
    {"string, object", "'Object' == x", "{}", "false"},
    {"same array", "x == x", "[1]", "true"},
    {"same object", "x.a == x.a", R"({"a":{}})", "true"},
    {"equal arrays are different", "x.a == x.b", R"({"a":[1],"b":[1]})", "false"},
    {"equal objects are different", "x.a != x.b", R"({"a":{},"b":{}})", "true"},
    {"array and object", "x.a == x.b", R"({"a":[],"b":{}})", "false"},
    {"not equal", "1 != '2'", "", "true"},
    {"umlaut", "'ü' == 'Ü'", "", "true"},
    {"sharp s stays", "'ß' == 'SS'", "", "false"},
    {"accents are letters", "'é' == 'e'", "", "false"},
    {"final sigma", "'ς' == 'Σ'", "", "true"},
    {"both sigmas", "'ς' == 'σ'", "", "true"},
    {"greek with accent", "'Άέήίόύώ' == 'άΈΉΊΌΎΏ'", "", "true"},
    {"cyrillic", "'Ёлка ЖЯ ЂЃ' == 'ёЛКА жя ђѓ'", "", "true"},
    {"latin extended", "'Žluťoučký kůň Ź' == 'žLUŤOUČKÝ KŮŇ ź'", "", "true"},
    {"vietnamese", "'Việt' == 'VIỆT'", "", "true"},
    {"latin additional", "'ḃ' == 'Ḃ'", "", "true"},
    {"armenian", "'Հայ' == 'հԱՅ'", "", "true"},
    {"y with diaeresis", "'ÿ' == 'Ÿ'", "", "true"},
    {"dotted capital i", "'i' == 'İ'", "", "false"},
    {"dotless small i", "'ı' == 'I'", "", "false"},
    {"multiplication is no letter", "'×' == '÷'", "", "false"},
};

TEST(Equality, IsLoose) {
  ExpectValues(kEquality);
}

constexpr ValueRow kOrder[] = {
    {"less", "1 < 2", "", "true"},
    {"not less", "2 < 1", "", "false"},
    {"less or equal", "1 <= 1", "", "true"},
    {"greater", "2 > 1", "", "true"},
    {"greater or equal", "1 >= 2", "", "false"},
    {"booleans", "false < true", "", "true"},
    {"booleans, equal", "true < true", "", "false"},
    {"booleans, greater", "true > false", "", "true"},
    {"null is not below null", "null < null", "", "false"},
    {"null is at most null", "null <= null", "", "true"},
    {"null is at least null", "null >= null", "", "true"},
    {"null below number", "null < 1", "", "true"},
    {"null above number", "null > -1", "", "true"},
    {"number, string", "0 < ' 1 '", "", "true"},
    {"string, number", "'10' > 9", "", "true"},
    {"strings as text", "'10' > '9'", "", "false"},
    {"string, word", "1 < 'a'", "", "false"},
    {"word, string", "1 >= 'a'", "", "false"},
    {"boolean, string", "true < '2'", "", "true"},
    {"boolean, number", "false < 1", "", "true"},
    {"NaN below", "NaN < 1", "", "false"},
    {"NaN above", "NaN >= 1", "", "false"},
    {"NaN and itself", "NaN <= NaN", "", "false"},
    {"minus infinity", "-Infinity < Infinity", "", "true"},
    {"strings", "'abc' < 'ABD'", "", "true"},
    {"strings, equal but for case", "'abc' <= 'ABC'", "", "true"},
    {"strings, equal but for case, not less", "'abc' < 'ABC'", "", "false"},
    {"a prefix is less", "'ab' < 'ABC'", "", "true"},
    {"letters count as capitals", "'a' < '['", "", "true"},
    {"capital letters alike", "'A' < '['", "", "true"},
    {"underscore above letters", "'z' < '_'", "", "true"},
    {"code points", "'Z' < 'é'", "", "true"},
    {"beyond the first plane", "'ｚ' < '🎉'", "", "true"},
    {"arrays", "x < x", "[]", "false"},
    {"an array is at most itself", "x <= x", "[]", "true"},
    {"an object is at least itself", "x >= x", "{}", "true"},
    {"array, number", "x < 1", "[]", "false"},
    {"number, object", "1 > x", "{}", "false"},
};

TEST(Order, ComparesNumbersOrText) {
  ExpectValues(kOrder);
}

constexpr ValueRow kLogic[] = {
    {"and gives the first falsy", "0 && 'a'", "", "0"},
    {"and gives the last", "1 && 'a'", "", R"("a")"},
    {"and gives null", "null && 'a'", "", "null"},
    {"and gives the empty string", "'' && 1", "", R"("")"},
    {"or gives the first truthy", "'' || 'b' || 'c'", "", R"("b")"},
    {"or gives the last", "'' || 0", "", "0"},
    {"or gives an array", "null || x", "[1]", "[1]"},
    {"ternary idiom", "x == 'main' && 'prod' || 'test'", R"("main")", R"("prod")"},
    {"ternary idiom, else", "x == 'main' && 'prod' || 'test'", R"("dev")", R"("test")"},
    {"and chain", "1 && 2 && 3", "", "3"},
    {"and chain stops", "1 && 0 && 3", "", "0"},
    {"and does not look further", "false && y.z", "", "false"},
    {"or does not look further", "true || fromJSON('')", "", "true"},
};

TEST(Logic, GivesOperands) {
  ExpectValues(kLogic);
}

constexpr ValueRow kPrecedence[] = {
    {"and before or", "1 || 1 && 0", "", "1"},
    {"and before or, other side", "0 && 1 || 2", "", "2"},
    {"brackets first", "(1 || 1) && 0", "", "0"},
    {"not before equality", "!0 == 1", "", "true"},
    {"not before order", "!1 < 1", "", "true"},
    {"not of brackets", "!(0 == 1)", "", "true"},
    {"order before equality", "1 < 2 == true", "", "true"},
    {"order before equality, right", "true == 2 > 1", "", "true"},
    {"equality before and", "1 == 1 && 2 == 2", "", "true"},
    {"order is left to right", "3 > 2 > 1", "", "false"},
    {"order, mixed", "1 < 2 >= 1", "", "true"},
    {"equality is left to right", "2 == 2 == 1", "", "true"},
    {"equality, mixed", "1 == 2 != true", "", "true"},
    {"index before not", "!x[0]", "[false]", "true"},
    {"member before comparison", "x.a == x.b", R"({"a":1,"b":1})", "true"},
    {"nested brackets", "((((1))))", "", "1"},
    {"no spaces", "1<2&&2>1||!true", "", "true"},
    {"brackets keep the filter", "(x.*).a", R"([{"a":1},{"a":2}])", "[1,2]"},
};

TEST(Precedence, IsGitHubs) {
  ExpectValues(kPrecedence);
}

constexpr ValueRow kMembers[] = {
    {"member", "x.a", R"({"a":"b"})", R"("b")"},
    {"case of the name", "x.ABC", R"({"abc":1})", "1"},
    {"case of the member", "x.abc", R"({"aBC":1})", "1"},
    {"exact case first", "x.abc", R"({"ABC":1,"abc":2})", "2"},
    {"context's case", "X.a", R"({"a":1})", "1"},
    {"umlaut in a name", "x['größe']", R"({"GRÖSSE":1,"GRÖßE":2})", "2"},
    {"nested", "x.a.b.c", R"({"a":{"b":{"c":3}}})", "3"},
    {"spaces around dots", "x . a . b", R"({"a":{"b":3}})", "3"},
    {"missing", "x.b", R"({"a":1})", "null"},
    {"missing of missing", "x.b.c.d", R"({"a":1})", "null"},
    {"of null", "x.a", "null", "null"},
    {"of a string", "x.length", R"("abc")", "null"},
    {"of a number", "x.a", "1", "null"},
    {"dash and underscore", "x.a-b._c", R"({"a-b":{"_c":1}})", "1"},
    {"digits in a name", "x.a1", R"({"a1":1})", "1"},
    {"keyword as a name", "x.true", R"({"true":1})", "1"},
    {"null as a name", "x.null", R"({"null":1})", "1"},
    {"function as a name", "x.format", R"({"format":1})", "1"},
    {"quoted name", "x['a b']", R"({"a b":1})", "1"},
    {"quoted name with a dot", "x['a.b']", R"({"a.b":1})", "1"},
    {"number as a name", "x[1]", R"({"1":"one"})", R"("one")"},
    {"number as a name, normal form", "x[1.0]", R"({"1":"one"})", R"("one")"},
    {"boolean as a name", "x[true]", R"({"true":1})", "1"},
    {"null as a name means empty", "x[null]", R"({"":1})", "1"},
    {"array as a name", "x[x]", R"({"Object":1})", "null"},
    {"computed name", "x[x.which]", R"({"which":"a","a":1})", "1"},
    {"computed from text", "x[format('k{0}', 1)]", R"({"k1":1})", "1"},
    {"array index", "x[1]", "[1,2,3]", "2"},
    {"first", "x[0]", "[1,2,3]", "1"},
    {"out of range", "x[3]", "[1,2,3]", "null"},
    {"negative", "x[-1]", "[1,2,3]", "null"},
    {"a little below zero", "x[-0.5]", "[1,2,3]", "null"},
    {"fraction", "x[1.9]", "[1,2,3]", "2"},
    {"huge", "x[1e300]", "[1,2,3]", "null"},
    {"NaN", "x[NaN]", "[1,2,3]", "null"},
    {"infinity", "x[Infinity]", "[1,2,3]", "null"},
    {"string index", "x['1']", "[1,2,3]", "2"},
    {"empty string index", "x['']", "[1,2,3]", "1"},
    {"null index", "x[null]", "[1,2,3]", "1"},
    {"true index", "x[true]", "[1,2,3]", "2"},
    {"word index", "x['a']", "[1,2,3]", "null"},
    {"member of an array", "x.a", R"([{"a":1}])", "null"},
    {"array as an index", "x[x]", "[1]", "null"},
    {"index of a scalar", "x[0]", R"("abc")", "null"},
    {"index of an index", "x[0][1]", "[[1,2]]", "2"},
    {"member of a call", "fromJSON('{\"a\":1}').a", "", "1"},
    {"member of brackets", "(x || null).a", R"({"a":1})", "1"},
    {"member of a literal in brackets", "('a').b", "", "null"},
    {"index within an index", "x[x[0]]", "[1,7]", "7"},
};

TEST(Members, AreFoundOrNull) {
  ExpectValues(kMembers);
}

constexpr ValueRow kFilters[] = {
    {"of an array", "x.*", "[1,2]", "[1,2]"},
    {"of an array, in brackets", "x[*]", "[1,2]", "[1,2]"},
    {"of an object", "x.*", R"({"a":1,"b":2})", "[1,2]"},
    {"of nothing", "x.*", "[]", "[]"},
    {"of null", "x.*", "null", "[]"},
    {"of a string", "x.*", R"("abc")", "[]"},
    {"member of each", "x.*.name", R"([{"name":"apple"},{"name":"pear"}])", R"(["apple","pear"])"},
    {"member of each of an object", "x.*.v", R"({"a":{"v":1},"b":{"v":2}})", "[1,2]"},
    {"those without it fall out", "x.*.v", R"([{"v":1},{"w":2},3,null,"v"])", "[1]"},
    {"null members stay", "x.*.v", R"([{"v":null},{"v":1}])", "[null,1]"},
    {"member of a member of each", "x.*.a.b", R"([{"a":{"b":1}},{"a":{}},{"a":{"b":2}}])", "[1,2]"},
    {"quoted member of each", "x.*['a b']", R"([{"a b":1}])", "[1]"},
    {"index of each", "x.*[0]", "[[1,2],[3],[]]", "[1,3]"},
    {"index means each, not the result", "x.*[0]", R"([{"0":"zero"},"text"])", R"(["zero"])"},
    {"twice", "x.*.*", "[[1,2],[3]]", "[1,2,3]"},
    {"twice over objects", "x.*.*", R"({"a":{"b":1},"c":{"d":2,"e":3}})", "[1,2,3]"},
    {"twice drops scalars", "x.*.*", "[1,[2]]", "[2]"},
    {"member, then filter", "x.a.*.b", R"({"a":[{"b":1},{"b":2}]})", "[1,2]"},
    {"filter of each member", "x.*.a.*", R"([{"a":[1,2]},{"a":[3]}])", "[1,2,3]"},
    {"result of a filter is an array", "join(x.*.a, '-')", R"([{"a":1},{"a":2}])", R"("1-2")"},
    {"computed index of each", "x.*[format('{0}', 'a')]", R"([{"a":1}])", "[1]"},
    {"through or", "(null || x.*).a", R"([{"a":1}])", "[1]"},
    {"contains over a filter", "contains(x.*.label, 'Bug')", R"([{"label":"bug"}])", "true"},
    {"through a missing member", "x.none.*.a", "{}", "[]"},
    {"truthy even when empty", "!!x.*", "[]", "true"},
};

TEST(Filters, TakeFromEach) {
  ExpectValues(kFilters);
}

}  // namespace
}  // namespace engine::expr
