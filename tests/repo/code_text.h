// SPDX-License-Identifier: Apache-2.0
// A small reader of C++: enough to tell code from comments and literals, not a parser.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tests::repo {

/// `text` with comments and the insides of literals blanked out; every line keeps its number and
/// length. Raw strings are understood.
std::string BlankCommentsAndLiterals(std::string_view text);

struct Include {
  std::size_t line = 0;
  std::string path;
  bool ours = false;  ///< written with quotes
};
std::vector<Include> IncludesOf(std::string_view text);

/// The words an identifier or a sentence is made of, in lower case: `NodeRunner`, `node_runner` and
/// `NODE-runner` are all `node`, `runner`.
std::vector<std::string> WordsOf(std::string_view text);

}  // namespace tests::repo
