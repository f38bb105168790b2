// SPDX-License-Identifier: Apache-2.0
// One word per concept: the glossary's last column names the twins that nobody may use.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/repo/findings.h"
#include "tests/repo/tree.h"

namespace tests::repo {

/// Banned word → the word to use, from the table `| word | is | not called |`.
using BannedWords = std::map<std::string, std::string, std::less<>>;
BannedWords ParseGlossary(std::string_view document);

/// Banned words in names, comments and literals of sources, and in documents, also as plurals.
Findings CheckWords(const Tree& tree, const BannedWords& banned);

}  // namespace tests::repo
