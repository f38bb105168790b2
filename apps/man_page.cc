// SPDX-License-Identifier: Apache-2.0
#include "apps/man_page.h"

#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/help.h"

namespace apps {
namespace {

// A dot or an apostrophe at the start of a line, and every backslash and hyphen, mean something to
// troff.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += "\\&";
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

void AppendOptions(std::string& out, const std::vector<const CLI::Option*>& options) {
  for (const CLI::Option* option : options) {
    if (option->check_name("--help")) {
      continue;
    }
    out += fmt::format(".TP\n.B {}\n{}.\n", Escaped(OptionTitle(*option)),
                       Escaped(OptionText(*option)));
  }
}

// Footers come in blocks: a heading ("Examples:") with indented lines under it, or plain text.
void AppendFooter(std::string& out, const std::string& footer) {
  std::istringstream lines(footer);
  bool verbatim = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with("  ");
    if (indented != verbatim) {
      out += indented ? ".RS\n.nf\n" : ".fi\n.RE\n";
      verbatim = indented;
    }
    if (line.empty()) {
      out += ".PP\n";
    } else {
      out += Escaped(indented ? line.substr(2) : line) + "\n";
    }
  }
  if (verbatim) {
    out += ".fi\n.RE\n";
  }
}

}  // namespace

std::string ManPage(const CLI::App& app, std::string_view version) {
  std::string out = fmt::format(
      ".\\\" Made by `dayfly man-page`; a test compares.\n"
      ".TH DAYFLY 1 \"\" \"dayfly {}\" \"User Commands\"\n"
      ".SH NAME\ndayfly \\- runs pipelines\n"
      ".SH SYNOPSIS\n.B dayfly\n.I COMMAND\n[options]\n"
      ".SH DESCRIPTION\n{}.\n.SH COMMANDS\n",
      version, Escaped(app.get_description()));
  for (const CLI::App* command : CommandsOf(app)) {
    out += fmt::format(".SS {}\n{}.\n", Escaped(UsageLine(*command)),
                       Escaped(command->get_description()));
    AppendOptions(out, ArgumentsOf(*command));
    AppendOptions(out, OptionsOf(*command));
    if (!command->get_footer().empty()) {
      out += ".PP\n";
      AppendFooter(out, command->get_footer());
    }
  }
  out += ".SH NOTES\n";
  AppendFooter(out, app.get_footer());
  return out;
}

}  // namespace apps
