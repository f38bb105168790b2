// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/form.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tests/repo/search.h"

namespace tests::repo {
namespace {

constexpr std::size_t kLinesMax = 1000;
constexpr std::size_t kLinesGuide = 600;

bool IsScript(const SourceFile& file) {
  return file.text.starts_with("#!");
}

bool NeedsLicenceLine(const SourceFile& file) {
  return IsSource(file.path) || IsScript(file) || file.path.ends_with("CMakeLists.txt") ||
         file.path.ends_with(".cmake") || file.path.ends_with(".proto") ||
         file.path.ends_with(".bash");
}

/// This folder names what it looks for.
bool IsThisCheck(std::string_view path) {
  return path.starts_with("tests/repo/");
}

void SearchLines(const SourceFile& file, const re2::RE2& pattern, const char* message,
                 Findings& findings) {
  std::size_t number = 0;
  for (const std::string_view line : SplitLines(file.text)) {
    ++number;
    const std::string_view match = FirstMatch(line, pattern);
    if (match.data() != nullptr) {
      findings.push_back({file.path, number, fmt::format("`{}`: {}", match, message)});
    }
  }
}

/// `a/b/../c` without the dots.
std::string Normalised(std::string_view folder, std::string_view link) {
  std::vector<std::string_view> parts;
  const std::string joined =
      folder.empty() ? std::string(link) : fmt::format("{}/{}", folder, link);
  std::string_view rest = joined;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

bool Exists(const Tree& tree, const std::string& path) {
  return tree.Find(path) != nullptr ||
         std::any_of(tree.files.begin(), tree.files.end(),
                     [&](const SourceFile& file) { return file.path.starts_with(path + "/"); });
}

}  // namespace

Findings CheckLicenceLines(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!NeedsLicenceLine(file)) {
      continue;
    }
    const auto lines = SplitLines(file.text);
    const std::size_t at = IsScript(file) ? 1 : 0;
    if (lines.size() <= at || !lines[at].ends_with("SPDX-License-Identifier: Apache-2.0")) {
      findings.push_back({file.path, at + 1, "here goes `SPDX-License-Identifier: Apache-2.0`"});
    }
  }
  return findings;
}

Findings CheckTodos(const Tree& tree) {
  static const re2::RE2 marks(R"(\b(?:TODO|FIXME|XXX|HACK)\b(\(#[0-9]+\): )?)");
  static const re2::RE2 others(R"(\b(?:FIXME|XXX|HACK)\b)");
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (IsThisCheck(file.path) || !(IsSource(file.path) || NeedsLicenceLine(file))) {
      continue;
    }
    std::size_t number = 0;
    for (const std::string_view line : SplitLines(file.text)) {
      ++number;
      const std::vector<std::string> issues = GroupOfAllMatches(line, marks);
      if (std::count(issues.begin(), issues.end(), "") > 0 ||
          FirstMatch(line, others).data() != nullptr) {
        findings.push_back({file.path, number, "write `TODO(#12): why`, with the issue's number"});
      }
    }
  }
  return findings;
}

Findings CheckLengths(const Tree& tree, Findings* long_files) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!IsSource(file.path)) {
      continue;
    }
    const std::size_t lines = SplitLines(file.text).size();
    if (lines > kLinesMax) {
      findings.push_back({file.path, 0, fmt::format("{} lines: find its second idea", lines)});
    } else if (lines > kLinesGuide) {
      long_files->push_back({file.path, 0, fmt::format("{} lines", lines)});
    }
  }
  return findings;
}

Findings CheckMachinePaths(const Tree& tree) {
  static const re2::RE2 machine(R"((^|[^\w.$}])/(home|root|Users|work|workspace)/[\w.])");
  // Tests may make up somebody's home.
  static const re2::RE2 in_tests(R"((^|[^\w.$}])/(root|work|workspace)/[\w.])");
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!IsThisCheck(file.path)) {
      SearchLines(file, IsTest(file.path) ? in_tests : machine, "no machine but one has this path",
                  findings);
    }
  }
  return findings;
}

Findings CheckLinks(const Tree& tree) {
  static const re2::RE2 link(R"(\]\(([^)#: ]+)[^): ]*\))");
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!IsDocument(file.path)) {
      continue;
    }
    std::size_t number = 0;
    for (const std::string_view line : SplitLines(file.text)) {
      ++number;
      for (const std::string& written : GroupOfAllMatches(line, link)) {
        const std::string target = Normalised(FolderOf(file.path), written);
        if (!Exists(tree, target)) {
          findings.push_back({file.path, number, fmt::format("nothing is at {}", target)});
        }
      }
    }
  }
  return findings;
}

Findings CheckNames(const Tree& tree) {
  static const re2::RE2 name(R"([a-z0-9_]+(/[a-z0-9_]+)*\.(h|cc))");
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!IsSource(file.path)) {
      continue;
    }
    if (!re2::RE2::FullMatch(file.path, name)) {
      findings.push_back({file.path, 0, "names of sources and folders are lower_snake"});
    }
    if (file.path.ends_with(".h") && file.text.find("#pragma once") == std::string::npos) {
      findings.push_back({file.path, 0, "a header says `#pragma once`"});
    }
  }
  return findings;
}

}  // namespace tests::repo
