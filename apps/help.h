// SPDX-License-Identifier: Apache-2.0
// Help texts from the tree of commands: what a command is, its arguments and options with defaults,
// examples, exit codes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace apps {

/// Makes `--help` print `HelpText` everywhere below `app`.
void UseHelpFormat(CLI::App& app);
std::string HelpText(const CLI::App& app);
/// `command` empty: of the whole program. Returns an exit code.
int PrintHelp(const CLI::App& app, const std::string& command);

/// `text` in lines of at most `columns`, all but the first behind `indent` spaces. Lines' own
/// breaks stay.
std::string WrapText(std::string_view text, std::size_t columns, std::size_t indent);

// What the generators share.
/// `dayfly run [FILE] [options]`
std::string UsageLine(const CLI::App& app);
/// `--input NAME=VALUE`, `-f, --follow`
std::string OptionTitle(const CLI::Option& option);
/// The description with what can be read off the option: the default, that it may be repeated.
std::string OptionText(const CLI::Option& option);
/// Arguments, then options, as defined; not what is hidden.
std::vector<const CLI::Option*> ArgumentsOf(const CLI::App& app);
std::vector<const CLI::Option*> OptionsOf(const CLI::App& app);
std::vector<const CLI::App*> CommandsOf(const CLI::App& app);

}  // namespace apps
