// SPDX-License-Identifier: Apache-2.0
// Tells a command that needs no shell. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dsl {

/// The words of `script` when `sh -e` would do nothing but start the program of that name with
/// them; empty otherwise.
///
/// That is so when the script is one line of words of `A-Z a-z 0-9 _ . / : , @ % + = -`: no quotes,
/// expansion, globs, redirection, comments, operators; the first word is no assignment (has no
/// `=`), no reserved word, and no builtin of a shell other than `true` and `false`, whose programs
/// in /bin do the same. (`echo`, `printf`, `test`, `kill`, `pwd` have programs, too, but those
/// differ from the builtins in details.) Whoever starts it hands it to the shell after all when the
/// program cannot be started, so that the message and the exit code (126, 127) are the shell's.
std::vector<std::string> SimpleCommand(std::string_view script);

}  // namespace dsl
