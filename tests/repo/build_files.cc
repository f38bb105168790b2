// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/build_files.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/repo/search.h"

namespace tests::repo {
namespace {

std::string_view StemOf(std::string_view path) {
  return path.substr(0, path.rfind('.'));
}

/// Headers of programs are found through their sources; headers of libraries are listed.
bool IsBuilt(std::string_view path) {
  return path.ends_with(".cc") || path.ends_with(".proto");
}

bool Names(std::string_view build_file, std::string_view source) {
  const auto is_edge = [&](std::size_t at) {
    return at >= build_file.size() ||
           std::string_view(" \n\t()\";").find(build_file[at]) != std::string_view::npos;
  };
  for (std::size_t at = build_file.find(source); at != std::string_view::npos;
       at = build_file.find(source, at + 1)) {
    if ((at == 0 || is_edge(at - 1)) && is_edge(at + source.size())) {
      return true;
    }
  }
  return false;
}

bool IsBuildFileOf(std::string_view folder, std::string_view path) {
  return FolderOf(path) == folder && (path.ends_with("CMakeLists.txt") || path.ends_with(".cmake"));
}

bool IsNamedByABuildFile(const Tree& tree, std::string_view path) {
  for (std::string_view folder = FolderOf(path);; folder = FolderOf(folder)) {
    const std::string_view inside = folder.empty() ? path : path.substr(folder.size() + 1);
    for (const SourceFile& file : tree.files) {
      // A list of targets made in a loop names stems: `foreach(name parse expression)`.
      if (IsBuildFileOf(folder, file.path) &&
          (Names(file.text, inside) || Names(file.text, StemOf(inside)))) {
        return true;
      }
    }
    if (folder.empty()) {
      return false;
    }
  }
}

}  // namespace

Findings CheckSourcesAreBuilt(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (IsBuilt(file.path) && !IsNamedByABuildFile(tree, file.path)) {
      findings.push_back({file.path, 0, "no CMakeLists.txt names it"});
    }
  }
  return findings;
}

Findings CheckLibraryNames(const Tree& tree) {
  static const re2::RE2 library(R"(dayfly_library\(\s*NAME\s+(\w+))");
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!file.path.ends_with("/CMakeLists.txt")) {
      continue;
    }
    // What tests share is called `tests_` and what it is.
    std::string expected(file.path.starts_with("tests/") ? "tests" : FolderOf(file.path));
    std::replace(expected.begin(), expected.end(), '/', '_');
    for (const std::string& name : GroupOfAllMatches(file.text, library)) {
      if (name != expected && !name.starts_with(expected + "_")) {
        findings.push_back(
            {file.path, 0, fmt::format("the library is {}, not {}", expected, name)});
      }
    }
  }
  return findings;
}

}  // namespace tests::repo
