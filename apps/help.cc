// SPDX-License-Identifier: Apache-2.0
#include "apps/help.h"

#include <cstdio>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/exit_code.h"
#include "apps/standard_streams.h"

namespace apps {
namespace {

constexpr std::size_t kColumns = 88;
constexpr std::size_t kTitleColumns = 26;

void AppendEntry(std::string& out, const std::string& title, const std::string& text) {
  out += "  " + title;
  if (title.size() + 4 > kTitleColumns) {
    out += "\n" + std::string(kTitleColumns, ' ');
  } else {
    out += std::string(kTitleColumns - 2 - title.size(), ' ');
  }
  out += WrapText(text, kColumns - kTitleColumns, kTitleColumns) + "\n";
}

void AppendOptions(std::string& out, std::string_view heading,
                   const std::vector<const CLI::Option*>& options) {
  if (options.empty()) {
    return;
  }
  out += fmt::format("\n{}:\n", heading);
  for (const CLI::Option* option : options) {
    AppendEntry(out, OptionTitle(*option), OptionText(*option));
  }
}

}  // namespace

std::string WrapText(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    if (used != 0 && used + 1 + word.size() > columns) {
      out += "\n" + std::string(indent, ' ');
      used = 0;
    }
    if (used != 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
  }
  return out;
}

std::vector<const CLI::Option*> ArgumentsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<const CLI::Option*> OptionsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) {
    return option->nonpositional() && !option->get_group().empty();
  });
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

std::string UsageLine(const CLI::App& app) {
  std::string line = app.get_parent() == nullptr ? "dayfly" : "dayfly " + app.get_name();
  if (!CommandsOf(app).empty()) {
    return line + " COMMAND ...";
  }
  for (const CLI::Option* argument : ArgumentsOf(app)) {
    const std::string name = argument->get_name(/*positional=*/true) +
                             (argument->get_items_expected_max() > 1 ? "..." : "");
    line += argument->get_required() ? " " + name : " [" + name + "]";
  }
  return line + " [options]";
}

std::string OptionTitle(const CLI::Option& option) {
  if (option.get_positional()) {
    return option.get_name(/*positional=*/true);
  }
  std::string title;
  for (const std::string& name : option.get_snames()) {
    title += (title.empty() ? "-" : ", -") + name;
  }
  for (const std::string& name : option.get_lnames()) {
    title += (title.empty() ? "--" : ", --") + name;
  }
  const std::string type = option.get_type_name();
  return type.empty() || option.get_items_expected_max() == 0 ? title : title + " " + type;
}

std::string OptionText(const CLI::Option& option) {
  std::string text = option.get_description();
  if (!option.get_default_str().empty() && option.get_items_expected_max() != 0) {
    text += ". Default: " + option.get_default_str();
  }
  if (!option.get_positional() && option.get_items_expected_max() > 1) {
    text += ". May be repeated";
  }
  return text;
}

std::string HelpText(const CLI::App& app) {
  std::string out = WrapText(app.get_description(), kColumns, 0) + ".\n";
  out += fmt::format("\nUsage: {}\n", UsageLine(app));
  const std::vector<const CLI::App*> commands = CommandsOf(app);
  if (!commands.empty()) {
    out += "\nCommands:\n";
    for (const CLI::App* command : commands) {
      const std::string text = command->get_description();
      AppendEntry(out, command->get_name(), text.substr(0, text.find(". ")));
    }
  }
  AppendOptions(out, "Arguments", ArgumentsOf(app));
  AppendOptions(out, "Options", OptionsOf(app));
  if (!app.get_footer().empty()) {
    out += "\n" + app.get_footer() + "\n";
  }
  return out;
}

void UseHelpFormat(CLI::App& app) {
  app.formatter_fn(
      [](const CLI::App* each, std::string, CLI::AppFormatMode) { return HelpText(*each); });
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->formatter(app.get_formatter());
  }
}

int PrintHelp(const CLI::App& app, const std::string& command) {
  if (command.empty()) {
    Print(HelpText(app));
    return kExitOk;
  }
  for (const CLI::App* each : CommandsOf(app)) {
    if (each->get_name() == command) {
      Print(HelpText(*each));
      return kExitOk;
    }
  }
  return Fail(kExitInvalid, fmt::format("no command '{}'; dayfly help lists them", command));
}

}  // namespace apps
