// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agents::runner {
namespace {

using ::testing::ElementsAre;

TEST(PlanShellCall, StartsEachShellAsDocumented) {
  const struct {
    const char* name;
    const char* shell;
    std::vector<std::string> argv;
    bool needs_file;
  } cases[] = {
      {"the default", "", {"/bin/sh", "-e", "-c", "echo"}, false},
      {"sh", "sh", {"/bin/sh", "-e", "-c", "echo"}, false},
      {"bash", "bash", {"bash", "-eo", "pipefail", "-c", "echo"}, false},
      {"a program", "python3", {"python3", "/s"}, true},
      {"a place for the path", "perl -w {0} x", {"perl", "-w", "/s", "x"}, true},
      {"inside a word", "run --file={0}", {"run", "--file=/s"}, true},
      {"quotes", "env 'A=b c' \"\" sh", {"env", "A=b c", "", "sh", "/s"}, true},
  };
  for (const auto& each : cases) {
    const auto call = PlanShellCall(each.shell, "echo", "/s");
    ASSERT_TRUE(call.ok()) << each.name;
    EXPECT_EQ(call->argv, each.argv) << each.name;
    EXPECT_EQ(call->needs_file, each.needs_file) << each.name;
  }
}

TEST(PlanShellCall, HandsALongScriptOverInAFile) {
  const auto call = PlanShellCall("", std::string(kInlineScriptMax + 1, 'x'), "/s");
  ASSERT_TRUE(call.ok());
  EXPECT_THAT(call->argv, ElementsAre("/bin/sh", "-e", "/s"));
  EXPECT_TRUE(call->needs_file);
}

TEST(PlanShellCall, RefusesWhatNamesNoProgram) {
  EXPECT_FALSE(PlanShellCall("  ", "echo", "/s").ok());
  EXPECT_FALSE(PlanShellCall("sh 'x", "echo", "/s").ok());
}

}  // namespace
}  // namespace agents::runner
