// SPDX-License-Identifier: Apache-2.0
#include "dsl/simple_command.h"

#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace dsl {
namespace {

TEST(SimpleCommand, IsSplitIntoItsWords) {
  const struct {
    const char* script;
    const char* words;
  } cases[] = {
      {"true", "true"},
      {"true\n", "true"},
      {"  make  -j2\ttest  ", "make|-j2|test"},
      {"/usr/bin/env A=1 b", "/usr/bin/env|A=1|b"},
      {"sleep 0.002", "sleep|0.002"},
      {"cmake -B build -DX=1", "cmake|-B|build|-DX=1"},
      {"./run.sh a,b:c@d%e+f", "./run.sh|a,b:c@d%e+f"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(fmt::format("{}", fmt::join(SimpleCommand(c.script), "|")), c.words);
  }
}

TEST(SimpleCommand, LeavesEverythingElseToTheShell) {
  for (const char* script : {"",      "  ",       "a\nb",        "echo hi",  "printf x",
                             "cd x",  "exit 3",   "test -f x",   "[ -f x ]", "A=1 b",
                             "A=1",   "a | b",    "a && b",      "a;b",      "a > b",
                             "a < b", "a &",      "a *.c",       "a ?",      "a [x]",
                             "a ~",   "~/x",      "a $B",        "a `b`",    "a \"b\"",
                             "a 'b'", "a \\b",    "a #b",        "#a",       "a {b,c}",
                             "!a",    "! a",      "if",          "while x",  "time x",
                             ". x",   "source x", "export A=1",  "exec x",   "kill 1",
                             "pwd",   "wait",     "ulimit -n 1", "umask 0",  "a ^b",
                             "a (b)", "a\r",      "ä",           "%1",       "a=b/c"}) {
    EXPECT_TRUE(SimpleCommand(script).empty()) << script;
  }
}

}  // namespace
}  // namespace dsl
