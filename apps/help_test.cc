// SPDX-License-Identifier: Apache-2.0
#include "apps/help.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/command_line.h"
#include "apps/completion.h"
#include "apps/man_page.h"

namespace apps {
namespace {

using testing::HasSubstr;

TEST(HelpText, EveryCommandHasADescriptionAndExamplesOrExitCodes) {
  const auto line = BuildCommandLine();
  const auto commands = CommandsOf(*line->app);
  EXPECT_GE(commands.size(), 13U);
  for (const CLI::App* command : commands) {
    const std::string name = command->get_name();
    EXPECT_FALSE(command->get_description().empty()) << name;
    if (name != "help" && name != "version") {
      EXPECT_THAT(HelpText(*command), HasSubstr("Examples:")) << name;
    }
    if (name != "help" && name != "version" && name != "completion") {
      EXPECT_THAT(HelpText(*command), HasSubstr("Exit codes")) << name;
    }
    for (const CLI::Option* option : OptionsOf(*command)) {
      EXPECT_FALSE(option->get_description().empty()) << name << " " << option->get_name();
    }
  }
}

TEST(HelpText, StaysWithinAHundredColumns) {
  const auto line = BuildCommandLine();
  for (const CLI::App* command : CommandsOf(*line->app)) {
    std::istringstream text(HelpText(*command));
    for (std::string row; std::getline(text, row);) {
      EXPECT_LE(row.size(), 100U) << row;
    }
  }
}

TEST(HelpText, ShowsDefaultsAndChoices) {
  const auto line = BuildCommandLine();
  EXPECT_THAT(HelpText(*line->app->get_subcommand("plan")),
              HasSubstr("--format text|json|dot|mermaid"));
  EXPECT_THAT(HelpText(*line->app->get_subcommand("runs")), HasSubstr("Default: 20"));
  EXPECT_THAT(HelpText(*line->app->get_subcommand("run")), HasSubstr("May be repeated"));
}

TEST(ManPage, IsTheOneInTheRepository) {
  std::ifstream file(DAYFLY_SOURCE_DIR "/docs/dayfly.1");
  const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto line = BuildCommandLine();
  EXPECT_EQ(kept, ManPage(*line->app, DAYFLY_VERSION))
      << "make it again with: dayfly man-page > docs/dayfly.1";
}

// Runs a shell's syntax check over a script; -1 when there is no such shell here.
int CheckSyntax(const std::string& shell, const std::string& script) {
  if (std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) != 0) {
    return -1;
  }
  FILE* pipe = popen((shell + " -n").c_str(), "w");
  std::fwrite(script.data(), 1, script.size(), pipe);
  return pclose(pipe);
}

TEST(CompletionScript, IsWellFormedAndKnowsEveryCommandAndChoice) {
  const auto line = BuildCommandLine();
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = CompletionScript(*line, shell);
    EXPECT_LE(CheckSyntax(shell, script), 0) << shell;
    for (const CLI::App* command : CommandsOf(*line->app)) {
      EXPECT_THAT(script, HasSubstr(command->get_name())) << shell;
    }
    EXPECT_THAT(script, HasSubstr("tree plain json")) << shell;
    EXPECT_THAT(script, HasSubstr("resume")) << shell;
  }
}

TEST(WrapText, BreaksBetweenWordsAndIndentsWhatFollows) {
  EXPECT_EQ(WrapText("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(WrapText("", 7, 2), "");
}

}  // namespace
}  // namespace apps
