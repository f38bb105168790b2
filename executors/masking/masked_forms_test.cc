// SPDX-License-Identifier: Apache-2.0
#include "executors/masking/masked_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace executors::masking {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

struct FormCase {
  const char* name;
  std::string value;
  std::string form;
};

TEST(MaskedForms, HoldWhatEncodersMakeOfAValue) {
  const FormCase cases[] = {
      {"itself", "hunter2!", "hunter2!"},
      {"without its line break", "hunter2!\r\n", "hunter2!"},
      {"a line of several", "first line\n  second line \r\nx", "second line"},
      {"base64, by itself", "hunter2!", "aHVudGVyMiE="},
      {"base64, with a line break", "hunter2!", "aHVudGVyMiEK"},
      {"base64, one byte before", "hunter2!", "h1bnRlcjIh"},
      {"base64, two bytes before", "hunter2!", "odW50ZXIyI"},
      {"base64 for URLs", "\xfb\xff\xfe\xfb", "-__--w=="},
      {"percent", "a b/c&d", "a%20b%2Fc%26d"},
      {"message of a log command", "a%b: c\nd", "a%25b: c%0Ad"},
      {"property of a log command", "a%b:\r,d", "a%25b%3A%0D%2Cd"},
      {"line of several in a log command", "100%: sure\nb", "100%25: sure"},
      {"percent, lower case", "a b/c&d", "a%20b%2fc%26d"},
      {"a form's fields", "a b/c&d", "a+b%2Fc%26d"},
      {"a path", "a b/c&d", "a%20b/c%26d"},
      {"JSON", "a\"b\\c\nd\x01", "a\\\"b\\\\c\\nd\\u0001"},
      {"JSON with slashes escaped", "a/b\"c", "a\\/b\\\"c"},
      {"JSON in ASCII", "p\xc3\xa4ss\xf0\x9f\x94\x91", "p\\u00e4ss\\ud83d\\udd11"},
      {"JSON safe for HTML", "a<b>&c", "a\\u003cb\\u003e\\u0026c"},
      {"in single quotes", "it's me", "it'\\''s me"},
  };
  for (const FormCase& c : cases) {
    EXPECT_THAT(MaskedForms(c.value), Contains(c.form)) << c.name;
  }
}

TEST(MaskedForms, HoldTheLinesOfALongBase64) {
  const std::vector<std::string> forms = MaskedForms(std::string(100, 'k'));
  std::string line;
  for (int i = 0; i < 19; ++i) {
    line += "a2tr";
  }
  EXPECT_THAT(forms, Contains(line));
  EXPECT_THAT(forms, Contains(line.substr(0, 64)));
}

TEST(MaskedForms, LeaveShortValuesAlone) {
  EXPECT_THAT(MaskedForms(""), IsEmpty());
  EXPECT_THAT(MaskedForms("abc"), IsEmpty());
  EXPECT_THAT(MaskedForms("abc\n\n"), IsEmpty());
  EXPECT_THAT(MaskedForms("{\n  \"a\": 1\n}\n"), Not(Contains("{")));
}

TEST(MaskedForms, AreNeverShort) {
  for (const std::string value : {"abcd", "{\n\t\n}", "\n\nab", "\xff\xfe\xfd\xfc"}) {
    for (const std::string& form : MaskedForms(value)) {
      EXPECT_GE(form.size(), kValueBytesMin) << value;
    }
  }
}

}  // namespace
}  // namespace executors::masking
