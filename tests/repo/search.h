// SPDX-License-Identifier: Apache-2.0
// Searching with RE2: the whole repository is searched with some twenty patterns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

namespace tests::repo {

/// The first place in `line` that `pattern` matches; nothing (null) when none does.
std::string_view FirstMatch(std::string_view line, const re2::RE2& pattern);

/// What the one group of `pattern` holds, at each place of `text` that it matches.
std::vector<std::string> GroupOfAllMatches(std::string_view text, const re2::RE2& pattern);

}  // namespace tests::repo
