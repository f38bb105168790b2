// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/code_text.h"

#include <cctype>

#include "tests/repo/tree.h"

namespace tests::repo {
namespace {

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Walks `text` and blanks in place.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text) {}

  std::string Run() {
    while (at_ < text_.size()) {
      if (StartsWith("//")) {
        BlankUntil("\n", 0);
      } else if (StartsWith("/*")) {
        BlankUntil("*/", 2);
      } else if (StartsWith("R\"") && (at_ == 0 || !IsWordByte(text_[at_ - 1]))) {
        BlankRawString();
      } else if (text_[at_] == '"' || (text_[at_] == '\'' && !IsDigitSeparator())) {
        BlankLiteral(text_[at_]);
      } else {
        ++at_;
      }
    }
    return std::move(text_);
  }

 private:
  bool StartsWith(std::string_view what) const {
    return text_.compare(at_, what.size(), what) == 0;
  }
  bool IsDigitSeparator() const { return at_ > 0 && IsWordByte(text_[at_ - 1]); }

  void Blank(std::size_t end) {
    for (; at_ < end && at_ < text_.size(); ++at_) {
      if (text_[at_] != '\n') {
        text_[at_] = ' ';
      }
    }
  }

  void BlankUntil(std::string_view close, std::size_t keep) {
    const std::size_t end = text_.find(close, at_ + keep);
    Blank(end == std::string::npos ? text_.size() : end + keep);
  }

  void BlankRawString() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string::npos) {
      Blank(text_.size());
      return;
    }
    const std::string close = ")" + text_.substr(at_ + 2, open - at_ - 2) + "\"";
    const std::size_t end = text_.find(close, open);
    Blank(end == std::string::npos ? text_.size() : end + close.size());
  }

  void BlankLiteral(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    Blank(end + 1);
  }

  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string BlankCommentsAndLiterals(std::string_view text) {
  return Blanker(text).Run();
}

std::vector<Include> IncludesOf(std::string_view text) {
  std::vector<Include> includes;
  std::size_t number = 0;
  for (const std::string_view line : SplitLines(text)) {
    ++number;
    constexpr std::string_view kWord = "#include ";
    if (!line.starts_with(kWord) || line.size() <= kWord.size() + 1) {
      continue;
    }
    const char open = line[kWord.size()];
    const std::size_t end = line.find(open == '"' ? '"' : '>', kWord.size() + 1);
    if (end != std::string_view::npos) {
      const std::size_t from = kWord.size() + 1;
      includes.push_back({number, std::string(line.substr(from, end - from)), open == '"'});
    }
  }
  return includes;
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  };
  bool after_lower = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalpha(byte) == 0) {
      finish();
    } else {
      if (std::isupper(byte) != 0 && after_lower) {
        finish();
      }
      word += static_cast<char>(std::tolower(byte));
    }
    after_lower = std::islower(byte) != 0;
  }
  finish();
  return words;
}

}  // namespace tests::repo
