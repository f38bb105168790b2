// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/words.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tests/repo/code_text.h"

namespace tests::repo {
namespace {

struct Exception {
  std::string_view path;  ///< or how it begins, when it ends with a slash
  std::string_view phrase;
};

/// Where a banned word is right, and only inside this phrase.
constexpr std::array kExceptions = {
    Exception{"README.md", "workflow engine"},
    Exception{"CMakeLists.txt", "A workflow engine"},
    Exception{"docs/comparison.md", "workflow engine"},
    Exception{"bench/", "recorded scientific workflows"},
    Exception{"", "/proc/{}/task"},
    Exception{"", "/proc/self/task"},
    Exception{"", "GitHub Actions workflow"},
    Exception{"", "std::packaged_task"},
    Exception{"dsl/", "workflow_dispatch"},
};

bool Covers(std::string_view path, const Exception& exception) {
  return exception.path.empty() || path == exception.path ||
         (exception.path.ends_with('/') && path.starts_with(exception.path));
}

/// `line` without the phrases that are right in `path`.
std::string WithoutExceptions(std::string_view path, std::string_view line) {
  std::string rest(line);
  for (const Exception& exception : kExceptions) {
    if (!Covers(path, exception)) {
      continue;
    }
    for (std::size_t at = rest.find(exception.phrase); at != std::string::npos;
         at = rest.find(exception.phrase)) {
      rest.replace(at, exception.phrase.size(), " ");
    }
  }
  return rest;
}

const std::string* Replacement(const BannedWords& banned, std::string_view word) {
  auto at = banned.find(word);
  if (at == banned.end() && word.ends_with('s')) {
    at = banned.find(word.substr(0, word.size() - 1));
  }
  return at == banned.end() ? nullptr : &at->second;
}

bool IsLooked(std::string_view path) {
  return path != "GLOSSARY.md" && !path.starts_with("tests/repo/") && path != "LICENSE" &&
         (IsSource(path) || IsDocument(path) || path.ends_with(".proto") ||
          path.ends_with(".cmake") || path.ends_with(".txt"));
}

std::string_view Cell(std::string_view row, int number) {
  for (; number > 0 && !row.empty(); --number) {
    row.remove_prefix(std::min(row.find('|'), row.size() - 1) + 1);
  }
  return row.substr(0, row.find('|'));
}

}  // namespace

BannedWords ParseGlossary(std::string_view document) {
  BannedWords banned;
  for (const std::string_view line : SplitLines(document)) {
    if (!line.starts_with("| ")) {
      continue;
    }
    const std::vector<std::string> word = WordsOf(Cell(line, 1));
    std::string_view twins = Cell(line, 3);
    for (std::size_t open = twins.find('`'); open != std::string_view::npos && !word.empty();
         open = twins.find('`')) {
      const std::size_t close = twins.find('`', open + 1);
      banned.emplace(twins.substr(open + 1, close - open - 1), word.front());
      twins.remove_prefix(std::min(close, twins.size() - 1) + 1);
    }
  }
  return banned;
}

Findings CheckWords(const Tree& tree, const BannedWords& banned) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!IsLooked(file.path)) {
      continue;
    }
    std::size_t number = 0;
    for (const std::string_view line : SplitLines(file.text)) {
      ++number;
      for (const std::string& word : WordsOf(WithoutExceptions(file.path, line))) {
        if (const std::string* right = Replacement(banned, word)) {
          findings.push_back({file.path, number, fmt::format("say `{}`, not `{}`", *right, word)});
        }
      }
    }
  }
  return findings;
}

}  // namespace tests::repo
