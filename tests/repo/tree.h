// SPDX-License-Identifier: Apache-2.0
// The repository as a list of text files. Checks take it by value of contents, so that their own
// tests can hand them a tree of two files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tests::repo {

struct SourceFile {
  std::string path;  ///< from the top, with slashes
  std::string text;
};

struct Tree {
  std::vector<SourceFile> files;  ///< ascending by path
  /// Null when there is no such file.
  const SourceFile* Find(std::string_view path) const;
};

/// Reads every text file below `root`, except `.git`, build trees (they hold a `CMakeCache.txt`),
/// symbolic links and binary files.
Tree ReadTree(const std::string& root);

/// C++ of ours: `.h` and `.cc`.
bool IsSource(std::string_view path);
/// A unit test beside the code, or anything under `tests/`.
bool IsTest(std::string_view path);
bool IsDocument(std::string_view path);
std::string_view FolderOf(std::string_view path);
std::vector<std::string_view> SplitLines(std::string_view text);

}  // namespace tests::repo
