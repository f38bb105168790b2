// SPDX-License-Identifier: Apache-2.0
#include "engine/model/log_command.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace engine::model {
namespace {

using Kind = LogCommand::Kind;

struct AnnotationCase {
  const char* name;
  std::string line;
  Annotation annotation;
};

const std::vector<AnnotationCase>& Annotations() {
  static const std::vector<AnnotationCase> kCases = {
      {"plain", "::error::boom", {.severity = Severity::kError, .message = "boom"}},
      {"warning", "::warning::hm", {.severity = Severity::kWarning, .message = "hm"}},
      {"notice", "::notice::so", {.severity = Severity::kNotice, .message = "so"}},
      {"all properties",
       "::error file=src/a.js,line=3,endLine=5,col=7,endColumn=9,title=Lint::no semicolon",
       {.file = "src/a.js",
        .line = 3,
        .end_line = 5,
        .column = 7,
        .end_column = 9,
        .title = "Lint",
        .message = "no semicolon"}},
      {"line end of Windows", "::error file=a::boom\r", {.file = "a", .message = "boom"}},
      {"escapes in the message", "::error::a%0Ab%0Dc%25d", {.message = "a\nb\rc%d"}},
      {"an escape of an escape", "::error::%250A", {.message = "%0A"}},
      {"what is an escape in properties only", "::error::%3A%2C", {.message = "%3A%2C"}},
      {"what is none", "::error::100% %0a %ZZ %", {.message = "100% %0a %ZZ %"}},
      {"escapes in properties",
       "::error file=C%3A\\a%2Cb%250A.c,title=x%0Ay::m",
       {.file = "C:\\a,b%0A.c", .title = "x\ny", .message = "m"}},
      {"colons in the message", "::error file=a::b::c: d", {.file = "a", .message = "b::c: d"}},
      {"blanks around properties",
       "::error   file = a b.c , line= 3 ::m",
       {.file = "a b.c", .line = 3, .message = "m"}},
      {"no numbers", "::error line=x,endLine=-1,col=3x,endColumn=99999999999::m", {.message = "m"}},
      {"unknown and broken properties",
       "::error foo=1,,file,=x,line=2::m",
       {.line = 2, .message = "m"}},
      {"a value with an equals sign", "::error file=a=b::m", {.file = "a=b", .message = "m"}},
      {"a later value counts", "::error line=1,line=2::m", {.line = 2, .message = "m"}},
      {"only a title", "::error title=T::", {.title = "T"}},
      {"blanks in the message stay", "::error::  m  ", {.message = "  m  "}},
      {"bytes that are no text", "::error::\xff\x00", {.message = "\xff"}},
  };
  return kCases;
}

TEST(LogCommand, ReadsAnnotations) {
  for (const AnnotationCase& each : Annotations()) {
    const auto command = ParseLogCommand(each.line);
    ASSERT_TRUE(command.has_value()) << each.name;
    EXPECT_EQ(command->kind, Kind::kAnnotation) << each.name;
    EXPECT_EQ(command->annotation, each.annotation) << each.name;
  }
}

TEST(LogCommand, ReadsGroups) {
  const auto group = ParseLogCommand("::group::Build %25 all\r");
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(group->kind, Kind::kGroup);
  EXPECT_EQ(group->group, "Build % all");
  EXPECT_EQ(ParseLogCommand("::group::")->group, "");
  EXPECT_EQ(ParseLogCommand("::endgroup::")->kind, Kind::kEndGroup);
  EXPECT_EQ(ParseLogCommand("::endgroup::anything")->kind, Kind::kEndGroup);
}

TEST(LogCommand, AllElseIsText) {
  for (const char* line : {"",
                           ":",
                           "::",
                           ":::",
                           "::::",
                           "text",
                           "error: x",
                           " ::error::x",
                           "\t::error::x",
                           "x::error::y",
                           ":error::x",
                           "::error:x",
                           "::error",
                           "::error file=a:x",
                           "::error::",
                           "::error file=a::",
                           "::ERROR::x",
                           "::errors::x",
                           "::debug::x",
                           "::add-mask::x",
                           "::set-output name=a::b",
                           "::stop-commands::x",
                           ":: error::x",
                           "::group",
                           "::endgroup",
                           "##[group]x",
                           "[error]x"}) {
    EXPECT_FALSE(ParseLogCommand(line).has_value()) << line;
  }
}

TEST(LogCommand, ReadsAHugeLine) {
  const std::string huge(1 << 20, '%');
  EXPECT_EQ(ParseLogCommand("::error::" + huge)->annotation.message, huge);
  EXPECT_FALSE(ParseLogCommand("::error " + huge).has_value());
}

TEST(LogCommand, NamesThePlaceAsFarAsItIsKnown) {
  EXPECT_EQ(PlaceOf({.file = "a", .line = 3, .column = 7}), "a:3:7");
  EXPECT_EQ(PlaceOf({.file = "a", .line = 3}), "a:3");
  EXPECT_EQ(PlaceOf({.file = "a", .column = 7}), "a");
  EXPECT_EQ(PlaceOf({.line = 3}), "");
}

}  // namespace
}  // namespace engine::model
