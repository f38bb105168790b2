// SPDX-License-Identifier: Apache-2.0
#include "dsl/glob.h"

#include <cstdint>

namespace dsl {
namespace {

enum class Kind : std::uint8_t { kByte, kAnyOne, kSet, kStar, kDeepStar, kFolders };

/// One element of a pattern; `set` is what stands between the brackets.
struct Element {
  Kind kind = Kind::kByte;
  char byte = 0;
  std::string_view set;
};

/// The element at the front, and how many bytes it takes.
std::pair<Element, std::size_t> FirstElement(std::string_view pattern) {
  if (pattern.starts_with("**/")) {
    return {{Kind::kFolders, 0, {}}, 3};
  }
  if (pattern.starts_with("**")) {
    return {{Kind::kDeepStar, 0, {}}, 2};
  }
  if (pattern[0] == '*') {
    return {{Kind::kStar, 0, {}}, 1};
  }
  if (pattern[0] == '?') {
    return {{Kind::kAnyOne, 0, {}}, 1};
  }
  if (pattern[0] == '[') {
    const std::size_t end = pattern.find(']', 2);
    if (end != std::string_view::npos) {
      return {{Kind::kSet, 0, pattern.substr(1, end - 1)}, end + 1};
    }
  }
  if (pattern[0] == '\\' && pattern.size() > 1) {
    return {{Kind::kByte, pattern[1], {}}, 2};
  }
  return {{Kind::kByte, pattern[0], {}}, 1};
}

std::vector<Element> ElementsOf(std::string_view pattern) {
  std::vector<Element> elements;
  bool at_start = true;  // `**/` means folders only where a name may begin
  while (!pattern.empty()) {
    auto [element, length] = FirstElement(pattern);
    if (element.kind == Kind::kFolders && !at_start) {
      element.kind = Kind::kDeepStar;
      length = 2;
    }
    at_start =
        element.kind == Kind::kFolders || (element.kind == Kind::kByte && element.byte == '/');
    elements.push_back(element);
    pattern.remove_prefix(length);
  }
  return elements;
}

bool InSet(std::string_view set, char c) {
  const bool inverted = set[0] == '!' || set[0] == '^';
  bool found = false;
  for (std::size_t i = inverted ? 1 : 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = found || (set[i] <= c && c <= set[i + 2]);
      i += 2;
    } else {
      found = found || set[i] == c;
    }
  }
  return found != inverted && c != '/';
}

bool TakesOne(const Element& element, char c) {
  switch (element.kind) {
    case Kind::kByte:
      return element.byte == c;
    case Kind::kAnyOne:
    case Kind::kStar:
      return c != '/';
    case Kind::kSet:
      return InSet(element.set, c);
    case Kind::kDeepStar:
    case Kind::kFolders:
      return true;
  }
  return false;
}

bool Repeats(Kind kind) {
  return kind == Kind::kStar || kind == Kind::kDeepStar || kind == Kind::kFolders;
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

std::optional<std::string> GlobFault(std::string_view pattern) {
  if (pattern.empty()) {
    return "it is empty";
  }
  while (!pattern.empty()) {
    if (pattern[0] == '[' && pattern.find(']', 2) == std::string_view::npos) {
      return "a `[` is not closed";
    }
    if (pattern == "\\") {
      return "nothing follows the `\\`";
    }
    pattern.remove_prefix(FirstElement(pattern).second);
  }
  return std::nullopt;
}

// Runs all ways through the pattern side by side: `reached[i]` says that its first i elements can
// take what was read.
bool GlobMatches(std::string_view pattern, std::string_view text) {
  const std::vector<Element> elements = ElementsOf(pattern);
  std::vector<char> reached(elements.size() + 1, 0);
  std::vector<char> next(elements.size() + 1, 0);
  const auto skip_stars = [&](std::vector<char>& states, bool name_begins) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const Kind kind = elements[i].kind;
      const bool may_end = kind == Kind::kFolders ? name_begins : Repeats(kind);
      states[i + 1] = static_cast<char>(states[i + 1] | (may_end ? states[i] : 0));
    }
  };
  reached[0] = 1;
  skip_stars(reached, true);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    next.assign(next.size(), 0);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (reached[i] == 0 || !TakesOne(elements[i], c)) {
        continue;
      }
      // The further bytes of a character belong to what took its first one.
      const bool inside = at + 1 < text.size() && IsContinuation(text[at + 1]) &&
                          (elements[i].kind == Kind::kAnyOne || elements[i].kind == Kind::kSet);
      next[Repeats(elements[i].kind) || inside ? i : i + 1] = 1;
    }
    reached.swap(next);
    skip_stars(reached, c == '/');
  }
  return reached[elements.size()] != 0;
}

bool GlobsMatch(const std::vector<std::string>& patterns, std::string_view text) {
  bool matches = false;
  for (const std::string& pattern : patterns) {
    const bool takes_out = pattern.starts_with('!');
    if (takes_out == matches &&
        GlobMatches(std::string_view(pattern).substr(takes_out ? 1 : 0), text)) {
      matches = !takes_out;
    }
  }
  return matches;
}

}  // namespace dsl
