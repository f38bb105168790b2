// SPDX-License-Identifier: Apache-2.0
#include "dsl/simple_command.h"

#include <algorithm>

namespace dsl {
namespace {

/// Reserved words and builtins of POSIX sh, dash and bash, sorted.
constexpr std::string_view kShellWords[] = {
    ".",       "alias", "bg",       "bind",    "break",     "builtin",  "caller",   "case",
    "cd",      "chdir", "command",  "compgen", "complete",  "compopt",  "continue", "coproc",
    "declare", "dirs",  "disown",   "do",      "done",      "echo",     "elif",     "else",
    "enable",  "esac",  "eval",     "exec",    "exit",      "export",   "fc",       "fg",
    "fi",      "for",   "function", "getopts", "hash",      "help",     "history",  "if",
    "in",      "jobs",  "kill",     "let",     "local",     "logout",   "mapfile",  "popd",
    "printf",  "pushd", "pwd",      "read",    "readarray", "readonly", "return",   "select",
    "set",     "shift", "shopt",    "source",  "suspend",   "test",     "then",     "time",
    "times",   "trap",  "type",     "typeset", "ulimit",    "umask",    "unalias",  "unset",
    "until",   "wait",  "while",
};

bool IsSafe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./:,@%+=-").find(c) != std::string_view::npos;
}

/// Only a name in front of the first `=` makes an assignment, but nobody misses `a/b=c` as a
/// program.
bool StartsProgram(std::string_view word) {
  return word.find('=') == std::string_view::npos && word.front() != '%' &&
         !std::binary_search(std::begin(kShellWords), std::end(kShellWords), word);
}

}  // namespace

std::vector<std::string> SimpleCommand(std::string_view script) {
  while (!script.empty() && (script.back() == '\n' || script.back() == ' ')) {
    script.remove_suffix(1);
  }
  std::vector<std::string> words;
  for (std::size_t at = 0; at < script.size();) {
    if (script[at] == ' ' || script[at] == '\t') {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < script.size() && IsSafe(script[at])) {
      ++at;
    }
    if (at == begin) {
      return {};
    }
    words.emplace_back(script.substr(begin, at - begin));
  }
  if (words.empty() || !StartsProgram(words.front())) {
    return {};
  }
  words.shrink_to_fit();
  return words;
}

}  // namespace dsl
