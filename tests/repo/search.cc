// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/search.h"

namespace tests::repo {

std::string_view FirstMatch(std::string_view line, const re2::RE2& pattern) {
  const re2::StringPiece text(line.data(), line.size());
  re2::StringPiece match;
  if (!pattern.Match(text, 0, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
    return {};
  }
  return {match.data(), match.size()};
}

std::vector<std::string> GroupOfAllMatches(std::string_view text, const re2::RE2& pattern) {
  std::vector<std::string> found;
  re2::StringPiece rest(text.data(), text.size());
  std::string group;
  while (re2::RE2::FindAndConsume(&rest, pattern, &group)) {
    found.push_back(group);
  }
  return found;
}

}  // namespace tests::repo
