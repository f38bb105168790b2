// SPDX-License-Identifier: Apache-2.0
// One command under construction: for the files that say which commands there are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/command_line.h"

namespace apps {

inline constexpr std::uint32_t kWorkersMax = 1024;

/// One command under construction. Options live in the callback, so as long as the command line.
template <typename Options>
class Command {
 public:
  Command(CommandLine& line, const std::string& name, const std::string& description,
          int (*run)(const Options&))
      : line_(line), options_(std::make_shared<Options>()) {
    app_ = line.app->add_subcommand(name, description);
    app_->callback([&line, options = options_, run] {
      line.chosen = [options, run] { return run(*options); };
    });
  }

  Options& options() { return *options_; }
  CLI::App& app() { return *app_; }

  template <typename T>
  CLI::Option* Value(const std::string& name, T Options::*member, const std::string& type,
                     const std::string& description) {
    return app_->add_option(name, (*options_).*member, description)->type_name(type);
  }
  /// One value at each occurrence, so that an argument behind it stays an argument.
  CLI::Option* Repeated(const std::string& name, std::vector<std::string> Options::*member,
                        const std::string& type, const std::string& description) {
    return Value(name, member, type, description)->allow_extra_args(false);
  }
  CLI::Option* Flag(const std::string& name, bool Options::*member,
                    const std::string& description) {
    return app_->add_flag(name, (*options_).*member, description);
  }
  void Choice(const std::string& name, std::string Options::*member,
              const std::vector<std::string>& choices, const std::string& description) {
    CLI::Option* option = app_->add_option(name, (*options_).*member, description)
                              ->type_name(fmt::format("{}", fmt::join(choices, "|")))
                              ->check(CLI::IsMember(choices).description(""));
    line_.completions.push_back({option, Completes::kChoice, choices});
    if (!((*options_).*member).empty()) {
      option->default_str((*options_).*member);
    }
  }
  CLI::Option* Completed(CLI::Option* option, Completes completes) {
    line_.completions.push_back({option, completes, {}});
    return option;
  }
  /// A first argument that says what to do, out of a few words.
  void Order(std::string Options::*member, const std::vector<std::string>& words,
             const std::string& description) {
    CLI::Option* option = app_->add_option("ORDER", (*options_).*member, description)
                              ->check(CLI::IsMember(words).description(""));
    line_.completions.push_back({option, Completes::kChoice, words});
  }
  void Workers(std::uint32_t Options::*member) {
    Value("--workers", member, "N",
          "How many attempts may run at once. Default: the number of CPUs")
        ->check(CLI::Range(1U, kWorkersMax).description(""));
  }
  void Server(std::string Options::*member) {
    Value(
        "--server", member, "ADDRESS[,ADDRESS]",
        "Asks a server: HOST:PORT or unix:PATH. Default: DAYFLY_SERVER, else client.yml; 'local': "
        "this machine's own runs");
  }
  void Footer(const std::string& text) { app_->footer(text); }

 private:
  CommandLine& line_;
  std::shared_ptr<Options> options_;
  CLI::App* app_;
};

inline constexpr const char* kRunArgument =
    "An id, the beginning of one, or 'latest' for the newest run";

}  // namespace apps
