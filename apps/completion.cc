// SPDX-License-Identifier: Apache-2.0
#include "apps/completion.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/help.h"

namespace apps {
namespace {

/// Shell code that prints candidates, a line each.
constexpr std::string_view kRuns = "dayfly runs --format ids 2>/dev/null; echo latest";
constexpr std::string_view kPipelines = "ls .dayfly/*.yml .dayfly/*.yaml 2>/dev/null";

CommandLine::Completion Find(const CommandLine& line, const CLI::Option* option) {
  const auto found = std::ranges::find(line.completions, option, &CommandLine::Completion::option);
  return found == line.completions.end() ? CommandLine::Completion{option, Completes::kNothing, {}}
                                         : *found;
}

std::string Names(const CLI::App& command) {
  std::string names;
  for (const CLI::Option* option : OptionsOf(command)) {
    for (const std::string& name : option->get_lnames()) {
      names += (names.empty() ? "--" : " --") + name;
    }
  }
  return names;
}

std::string CommandWords(const CommandLine& line) {
  std::string words;
  for (const CLI::App* command : CommandsOf(*line.app)) {
    words += (words.empty() ? "" : " ") + command->get_name();
  }
  return words;
}

// What bash's COMPREPLY becomes for one option's or argument's words.
std::string BashReply(const CommandLine::Completion& completion) {
  switch (completion.completes) {
    case Completes::kChoice:
      return fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"))",
                         fmt::join(completion.choices, " "));
    case Completes::kRun:
      return fmt::format("COMPREPLY=($(compgen -W \"$({})\" -- \"$cur\"))", kRuns);
    case Completes::kPipeline:
      return fmt::format(
          "COMPREPLY=($(compgen -W \"$({})\" -- \"$cur\") $(compgen -f -- \"$cur\"))", kPipelines);
    case Completes::kFile:
      return "COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Completes::kNothing:
      break;
  }
  return "COMPREPLY=()";
}

std::string Bash(const CommandLine& line) {
  std::string out = fmt::format(
      "# bash completion for dayfly; source it, or put it where bash-completion looks.\n"
      "_dayfly() {{\n"
      "  local cur=\"${{COMP_WORDS[COMP_CWORD]}}\" prev=\"${{COMP_WORDS[COMP_CWORD-1]}}\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$cur\"))\n    return\n  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n",
      CommandWords(line));
  for (const CLI::App* command : CommandsOf(*line.app)) {
    out += fmt::format("    {})\n      case \"$prev\" in\n", command->get_name());
    for (const CLI::Option* option : OptionsOf(*command)) {
      if (option->get_items_expected_max() != 0 && !option->get_lnames().empty()) {
        out += fmt::format("        --{}) {}; return ;;\n", option->get_lnames().front(),
                           BashReply(Find(line, option)));
      }
    }
    out += "      esac\n";
    out += fmt::format(
        "      case \"$cur\" in -*) COMPREPLY=($(compgen -W \"{} --help\" -- \"$cur\")); return ;; "
        "esac\n",
        Names(*command));
    const auto arguments = ArgumentsOf(*command);
    if (command->get_name() == "help") {
      out +=
          fmt::format("      COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"))\n", CommandWords(line));
    } else if (command->get_name() == "completion") {
      out += "      COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$cur\"))\n";
    } else if (!arguments.empty()) {
      out += fmt::format("      {}\n", BashReply(Find(line, arguments.front())));
    }
    out += "      ;;\n";
  }
  return out + "  esac\n}\ncomplete -F _dayfly dayfly\n";
}

std::string SingleQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string FirstSentence(const std::string& text) {
  return text.substr(0, text.find(". "));
}

std::string ZshAction(const CommandLine::Completion& completion) {
  switch (completion.completes) {
    case Completes::kChoice:
      return fmt::format("({})", fmt::join(completion.choices, " "));
    case Completes::kRun:
      return "_dayfly_runs";
    case Completes::kPipeline:
    case Completes::kFile:
      return "_files";
    case Completes::kNothing:
      break;
  }
  return "";
}

// Colons and brackets end a part of a zsh specification.
std::string ZshText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string Zsh(const CommandLine& line) {
  std::string out = fmt::format(
      "#compdef dayfly\n"
      "_dayfly_runs() {{ local -a runs; runs=(${{(f)\"$({})\"}}); compadd -a runs }}\n"
      "_dayfly() {{\n  local -a commands\n  commands=(\n",
      kRuns);
  for (const CLI::App* command : CommandsOf(*line.app)) {
    out += "    " +
           SingleQuoted(command->get_name() + ":" +
                        ZshText(FirstSentence(command->get_description()))) +
           "\n";
  }
  out +=
      "  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  local command=$words[2]\n  shift words; (( CURRENT-- ))\n  case $command in\n";
  for (const CLI::App* command : CommandsOf(*line.app)) {
    out += fmt::format("    {}) _arguments", command->get_name());
    for (const CLI::Option* option : OptionsOf(*command)) {
      if (option->get_lnames().empty()) {
        continue;
      }
      std::string spec = fmt::format("--{}[{}]", option->get_lnames().front(),
                                     ZshText(FirstSentence(option->get_description())));
      if (option->get_items_expected_max() != 0) {
        spec +=
            fmt::format(":{}:{}", ZshText(option->get_type_name()), ZshAction(Find(line, option)));
      }
      out += " " + SingleQuoted((option->get_items_expected_max() > 1 ? "*" : "") + spec);
    }
    std::size_t position = 0;
    for (const CLI::Option* argument : ArgumentsOf(*command)) {
      out += " " + SingleQuoted(fmt::format("{}:{}:{}", ++position, argument->get_name(true),
                                            ZshAction(Find(line, argument))));
    }
    out += " ;;\n";
  }
  return out + "  esac\n}\n_dayfly \"$@\"\n";
}

std::string FishWords(const CommandLine::Completion& completion) {
  switch (completion.completes) {
    case Completes::kChoice:
      return fmt::format(" -x -a {}",
                         SingleQuoted(fmt::format("{}", fmt::join(completion.choices, " "))));
    case Completes::kRun:
      return fmt::format(" -x -a {}", SingleQuoted(fmt::format("({})", kRuns)));
    case Completes::kPipeline:
    case Completes::kFile:
      return " -r -F";
    case Completes::kNothing:
      break;
  }
  return " -x";
}

std::string Fish(const CommandLine& line) {
  std::string out = "complete -c dayfly -f\n";
  for (const CLI::App* command : CommandsOf(*line.app)) {
    out +=
        fmt::format("complete -c dayfly -n __fish_use_subcommand -a {} -d {}\n",
                    command->get_name(), SingleQuoted(FirstSentence(command->get_description())));
  }
  for (const CLI::App* command : CommandsOf(*line.app)) {
    const std::string here =
        fmt::format("complete -c dayfly -n '__fish_seen_subcommand_from {}'", command->get_name());
    for (const CLI::Option* option : OptionsOf(*command)) {
      if (!option->get_lnames().empty()) {
        out +=
            fmt::format("{} -l {} -d {}{}\n", here, option->get_lnames().front(),
                        SingleQuoted(FirstSentence(option->get_description())),
                        option->get_items_expected_max() == 0 ? "" : FishWords(Find(line, option)));
      }
    }
    const auto arguments = ArgumentsOf(*command);
    if (!arguments.empty()) {
      const auto completion = Find(line, arguments.front());
      if (completion.completes != Completes::kNothing) {
        out += here + FishWords(completion) + "\n";
      }
    }
  }
  return out;
}

}  // namespace

std::string CompletionScript(const CommandLine& line, const std::string& shell) {
  if (shell == "bash") {
    return Bash(line);
  }
  return shell == "zsh" ? Zsh(line) : Fish(line);
}

}  // namespace apps
