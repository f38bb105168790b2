// SPDX-License-Identifier: Apache-2.0
// Globs of `on` filters. `*` and `?` stop at `/`, `**` does not (and `**/` may be nothing at all),
// `[a-c]` and `[!a-c]` are one of a set, `\` takes the next character as it is. Linear memory, no
// backtracking blow-up. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsl {

/// What is wrong with the pattern (its `!` in front left out); nothing when it is fine.
std::optional<std::string> GlobFault(std::string_view pattern);

/// The whole of `text` matches the well-formed `pattern`.
bool GlobMatches(std::string_view pattern, std::string_view text);

/// Patterns in order; one with `!` in front takes out again what an earlier one took in.
bool GlobsMatch(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace dsl
