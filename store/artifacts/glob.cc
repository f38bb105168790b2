// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/glob.h"

#include <cstddef>

namespace store::artifacts {
namespace {

namespace base = engine::base;

constexpr std::size_t kNowhere = std::string_view::npos;

// One part against one name. Going back to the newest `*` only is enough: an older one could not
// match anything that the newer one cannot.
bool PartMatches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = kNowhere;
  std::size_t after_star = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != kNowhere) {
      p = star + 1;
      n = ++after_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

std::vector<std::string_view> Parts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    path = slash == kNowhere ? std::string_view() : path.substr(slash + 1);
  }
  return parts;
}

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?") != kNowhere;
}

std::string PrefixOf(std::string_view glob) {
  std::string prefix;
  for (const std::string_view part : Parts(glob)) {
    if (HasWildcard(part)) {
      break;
    }
    prefix += prefix.empty() ? "" : "/";
    prefix += part;
  }
  return prefix;
}

base::StatusOr<PathPatterns::Pattern> MakePattern(const std::string& text) {
  PathPatterns::Pattern pattern;
  pattern.text = text;
  std::string_view rest = text;
  if (rest.starts_with('!')) {
    pattern.excludes = true;
    rest.remove_prefix(1);
  }
  if (rest.empty() || rest.find('\0') != kNowhere) {
    return base::InvalidArgument("path '{}' names nothing", text);
  }
  if (rest.starts_with('/')) {
    return base::InvalidArgument("path '{}' is absolute; paths count from the workspace", text);
  }
  for (const std::string_view part : Parts(rest)) {
    if (part == "..") {
      return base::InvalidArgument("path '{}' leaves the workspace", text);
    }
    if (!part.empty() && part != ".") {
      pattern.glob += pattern.glob.empty() ? "" : "/";
      pattern.glob += part;
    }
  }
  pattern.is_literal = !HasWildcard(pattern.glob);
  pattern.prefix = PrefixOf(pattern.glob);
  return pattern;
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view path) {
  const std::vector<std::string_view> patterns = Parts(pattern);
  const std::vector<std::string_view> names = Parts(path);
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = kNowhere;
  std::size_t after_star = 0;
  while (n < names.size()) {
    if (p < patterns.size() && patterns[p] == "**") {
      star = p++;
      after_star = n;
    } else if (p < patterns.size() && PartMatches(patterns[p], names[n])) {
      ++p;
      ++n;
    } else if (star != kNowhere) {
      p = star + 1;
      n = ++after_star;
    } else {
      return false;
    }
  }
  while (p < patterns.size() && patterns[p] == "**") {
    ++p;
  }
  return p == patterns.size();
}

base::StatusOr<PathPatterns> PathPatterns::Make(const std::vector<std::string>& texts) {
  PathPatterns made;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(Pattern pattern, MakePattern(text));
    made.patterns_.push_back(std::move(pattern));
  }
  return made;
}

bool PathPatterns::Covers(const Pattern& pattern, std::string_view path) {
  if (pattern.glob.empty()) {
    return true;
  }
  if (pattern.is_literal) {
    return path.starts_with(pattern.glob) &&
           (path.size() == pattern.glob.size() || path[pattern.glob.size()] == '/');
  }
  for (std::size_t end = path.find('/'); end != kNowhere; end = path.find('/', end + 1)) {
    if (GlobMatches(pattern.glob, path.substr(0, end))) {
      return true;
    }
  }
  return GlobMatches(pattern.glob, path);
}

bool PathPatterns::Includes(std::string_view path) const {
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    if (Covers(*pattern, path)) {
      return !pattern->excludes;
    }
  }
  return false;
}

}  // namespace store::artifacts
