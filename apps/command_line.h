// SPDX-License-Identifier: Apache-2.0
// The tree of commands and options: what `--help`, shell completion and the man page are made from,
// and what a call means. Only this file, its source and the two generators know CLI11.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace apps {

/// What the words of an option or argument are, for completion.
enum class Completes { kNothing, kFile, kPipeline, kRun, kChoice };

struct CommandLine {
  std::unique_ptr<CLI::App> app;
  std::function<int()> chosen;  ///< set by parsing: runs the command

  struct Completion {
    const CLI::Option* option;
    Completes completes;
    std::vector<std::string> choices;
  };
  std::vector<Completion> completions;
};

/// Options are parsed into objects that live as long as the result.
std::unique_ptr<CommandLine> BuildCommandLine();

/// The whole program but for `keeper`: parses, runs the command, returns the exit code.
int Main(int argc, char** argv);

}  // namespace apps
