// SPDX-License-Identifier: Apache-2.0
#include "apps/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

namespace base = engine::base;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ParseEnvFile, TakesWhatShellsAndToolsWrite) {
  const auto values = ParseEnvFile(
      "# comment\n\nA=1\nexport B=two words \nC='$x \"y\"'\r\nD=\"a\\nb \\\"q\\\" \\$ "
      "\\w\"\nE=\nF=a=b",
      "env");
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_THAT(*values, ElementsAre(Pair("A", "1"), Pair("B", "two words"), Pair("C", "$x \"y\""),
                                   Pair("D", "a\nb \"q\" $ \\w"), Pair("E", ""), Pair("F", "a=b")));
}

TEST(ParseEnvFile, NamesTheLineThatIsWrong) {
  for (const char* text :
       {"A=1\nnot a line", "A=1\n1B=2", "A=1\n=x", "A=1\nB=\"open", "A=1\nB='a'b"}) {
    const auto values = ParseEnvFile(text, "my.env");
    EXPECT_EQ(values.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(base::Message(values.status())), HasSubstr("my.env:2:")) << text;
  }
}

TEST(SplitNameValue, SaysWhichOptionWasGivenWrong) {
  EXPECT_THAT(*SplitNameValue("a=b=c", "--input"), Pair("a", "b=c"));
  EXPECT_THAT(std::string(base::Message(SplitNameValue("a", "--input").status())),
              HasSubstr("--input takes NAME=VALUE, not 'a'"));
  EXPECT_FALSE(SplitNameValue("=b", "--input").ok());
}

TEST(ReadTextFile, RefusesFoldersAndWhatIsNotThere) {
  EXPECT_THAT(std::string(base::Message(ReadTextFile("/").status())), HasSubstr("is a folder"));
  EXPECT_EQ(ReadTextFile("/no/such/file").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace apps
