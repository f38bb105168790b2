// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tests::repo {
namespace {

namespace fs = std::filesystem;

bool IsSkippedFolder(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name == ".git" || name == "build" || name.starts_with("build-") ||
         fs::exists(folder / "CMakeCache.txt");
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

const SourceFile* Tree::Find(std::string_view path) const {
  const auto at = std::find_if(files.begin(), files.end(),
                               [&](const SourceFile& file) { return file.path == path; });
  return at == files.end() ? nullptr : &*at;
}

Tree ReadTree(const std::string& root) {
  Tree tree;
  std::error_code error;
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::end(at); at.increment(error)) {
    if (at->is_symlink(error)) {
      continue;
    }
    if (at->is_directory(error)) {
      if (IsSkippedFolder(at->path())) {
        at.disable_recursion_pending();
      }
      continue;
    }
    std::string text = ReadFile(at->path());
    if (text.find('\0') == std::string::npos) {
      tree.files.push_back({fs::relative(at->path(), root).generic_string(), std::move(text)});
    }
  }
  std::sort(tree.files.begin(), tree.files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return tree;
}

bool IsSource(std::string_view path) {
  return path.ends_with(".h") || path.ends_with(".cc");
}

bool IsTest(std::string_view path) {
  return path.ends_with("_test.cc") || path.ends_with("/test_main.cc") ||
         path.starts_with("tests/");
}

bool IsDocument(std::string_view path) {
  return path.ends_with(".md");
}

std::string_view FolderOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace tests::repo
