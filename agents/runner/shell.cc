// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/shell.h"

#include <iterator>

namespace agents::runner {
namespace {

namespace base = engine::base;

base::StatusOr<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (c == ' ' || c == '\t') {
      if (open) {
        words.push_back(std::move(word));
      }
      word.clear();
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (quote != 0) {
    return base::InvalidArgument("shell '{}': a quote does not end", text);
  }
  if (open) {
    words.push_back(std::move(word));
  }
  return words;
}

bool PutPath(std::string& word, const std::string& path) {
  const std::size_t at = word.find("{0}");
  if (at == std::string::npos) {
    return false;
  }
  word.replace(at, 3, path);
  return true;
}

ShellCall KnownShell(std::vector<std::string> argv, std::string_view script,
                     const std::string& script_path) {
  const bool needs_file = script.size() > kInlineScriptMax;
  if (needs_file) {
    argv.push_back(script_path);
  } else {
    argv.emplace_back("-c");
    argv.emplace_back(script);
  }
  return {.argv = std::move(argv), .needs_file = needs_file};
}

}  // namespace

base::StatusOr<ShellCall> PlanShellCall(std::string_view shell, std::string_view script,
                                        const std::string& script_path) {
  if (shell.empty() || shell == "sh") {
    return KnownShell({"/bin/sh", "-e"}, script, script_path);
  }
  if (shell == "bash") {
    return KnownShell({"bash", "-eo", "pipefail"}, script, script_path);
  }
  ASSIGN_OR_RETURN(std::vector<std::string> argv, SplitWords(shell));
  if (argv.empty()) {
    return base::InvalidArgument("shell '{}' names no program", shell);
  }
  bool placed = false;
  for (std::string& word : argv) {
    placed = PutPath(word, script_path) || placed;
  }
  if (!placed) {
    argv.push_back(script_path);
  }
  return ShellCall{.argv = std::move(argv), .needs_file = true};
}

std::vector<std::string> BehindCheck(const std::string& check, std::vector<std::string> argv) {
  static constexpr std::string_view kScript =
      "/bin/sh -c \"$1\"\n"
      "code=$?\n"
      "if [ $code -eq 0 ]; then\n"
      "  echo 'effect_check: the effect is there already, the step is not run again'\n"
      "  exit 0\n"
      "fi\n"
      "if [ $code -ne 1 ]; then\n"
      "  echo \"effect_check: it ended with $code, so nobody can tell whether the effect is "
      "there\"\n"
      "  exit $code\n"
      "fi\n"
      "shift\n"
      "exec \"$@\"";
  std::vector<std::string> call = {"/bin/sh", "-c", std::string(kScript), "effect_check", check};
  call.insert(call.end(), std::make_move_iterator(argv.begin()),
              std::make_move_iterator(argv.end()));
  return call;
}

}  // namespace agents::runner
