// SPDX-License-Identifier: Apache-2.0
// The parser tells where a scalar begins and what its value is. Where a byte of the value stands in
// the file is worked out here, by reading the scalar again in its style, only when a diagnostic (or
// an expression's position) asks for it.
#include <algorithm>
#include <string_view>

#include "dsl/source_text.h"

namespace dsl {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}
bool IsBreak(char c) {
  return c == '\n' || c == '\r';
}
bool IsSpace(char c) {
  return IsBlank(c) || IsBreak(c);
}

/// A reading position in the source beside one in the value.
struct Aligner {
  std::string_view text;
  std::string_view value;
  std::size_t at = 0;       // in `text`
  std::size_t reached = 0;  // in `value`

  bool more(std::size_t position) const { return reached < position && at < text.size(); }
  void Copy() {
    ++at;
    ++reached;
  }
};

/// Past an anchor and a tag in front of the scalar itself.
std::size_t SkipProperties(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    while (at < text.size() && !IsSpace(text[at])) {
      ++at;
    }
    while (at < text.size() && IsSpace(text[at])) {
      ++at;
    }
  }
  return at;
}

bool EndsQuote(std::string_view text, std::size_t at, char quote) {
  return text[at] == quote && !(quote == '\'' && at + 1 < text.size() && text[at + 1] == '\'');
}

std::size_t QuotedEnd(std::string_view text, std::size_t begin, std::size_t limit) {
  const char quote = text[begin];
  for (std::size_t at = begin + 1; at < limit; ++at) {
    if (EndsQuote(text, at, quote)) {
      return at + 1;
    }
    if (text[at] == quote || (quote == '"' && text[at] == '\\')) {
      ++at;
    }
  }
  return limit;
}

/// Line breaks inside a quoted or plain scalar: one is a space, n are n - 1 breaks.
void FoldBreaks(Aligner& aligner) {
  std::size_t breaks = 0;
  while (aligner.at < aligner.text.size() && IsSpace(aligner.text[aligner.at])) {
    breaks += aligner.text[aligner.at] == '\n' ? 1 : 0;
    ++aligner.at;
  }
  aligner.reached += std::max<std::size_t>(1, breaks - (breaks > 1 ? 1 : 0));
}

bool AtFold(const Aligner& aligner) {
  std::size_t at = aligner.at;
  while (at < aligner.text.size() && IsBlank(aligner.text[at])) {
    ++at;
  }
  return at < aligner.text.size() && IsBreak(aligner.text[at]);
}

std::size_t Utf8LengthAt(std::string_view value, std::size_t at) {
  const auto lead = at < value.size() ? static_cast<unsigned char>(value[at]) : 0U;
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// A backslash and what it stands for; at a line's end it swallows the break.
void SkipEscape(Aligner& aligner) {
  const char kind = aligner.at + 1 < aligner.text.size() ? aligner.text[aligner.at + 1] : '\\';
  aligner.at += 2;
  if (IsBreak(kind)) {
    while (aligner.at < aligner.text.size() && IsSpace(aligner.text[aligner.at])) {
      ++aligner.at;
    }
    return;
  }
  aligner.at += kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
  aligner.reached += Utf8LengthAt(aligner.value, aligner.reached);
}

std::size_t OffsetInFlow(Aligner aligner, char quote, std::size_t position) {
  while (aligner.more(position)) {
    if (AtFold(aligner)) {
      FoldBreaks(aligner);
    } else if (quote == '"' && aligner.text[aligner.at] == '\\') {
      SkipEscape(aligner);
    } else {
      aligner.at += quote == '\'' && aligner.text[aligner.at] == '\'' ? 1 : 0;
      aligner.Copy();
    }
  }
  return aligner.at;
}

std::size_t NextLine(std::string_view text, std::size_t at) {
  const std::size_t found = text.find('\n', at);
  return found == std::string_view::npos ? text.size() : found + 1;
}

std::size_t BlanksAt(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && text[at + count] == ' ') {
    ++count;
  }
  return count;
}

/// How far a block scalar is indented: what its first line that is not empty has more than the
/// value's.
std::size_t BlockIndent(std::string_view text, std::size_t at, std::string_view value) {
  while (at < text.size()) {
    const std::size_t blanks = BlanksAt(text, at);
    const std::size_t first = at + blanks;
    if (first < text.size() && !IsBreak(text[first])) {
      const std::size_t start = std::min(value.find_first_not_of('\n'), value.size());
      const std::size_t own = BlanksAt(value, start);
      return blanks > own ? blanks - own : 0;
    }
    at = NextLine(text, at);
  }
  return 0;
}

void SkipIndent(Aligner& aligner, std::size_t indent) {
  const std::size_t blanks = BlanksAt(aligner.text, aligner.at);
  aligner.at += std::min(blanks, indent);
}

std::size_t OffsetInBlock(Aligner aligner, bool folded, std::size_t position) {
  aligner.at = NextLine(aligner.text, aligner.at);
  const std::size_t indent = BlockIndent(aligner.text, aligner.at, aligner.value);
  SkipIndent(aligner, indent);
  while (aligner.more(position)) {
    const char c = aligner.text[aligner.at];
    if (!IsBreak(c)) {
      aligner.Copy();
      continue;
    }
    aligner.at = NextLine(aligner.text, aligner.at);
    SkipIndent(aligner, indent);
    // Folding makes a space of one break and drops one of several.
    const char made = aligner.value[aligner.reached];
    aligner.reached += !folded || made == '\n' || made == ' ' ? 1 : 0;
  }
  // What several breaks were folded into is behind; the place is where the text goes on.
  while (folded && aligner.at < aligner.text.size() && aligner.reached < aligner.value.size() &&
         IsBreak(aligner.text[aligner.at]) && aligner.value[aligner.reached] != '\n' &&
         aligner.value[aligner.reached] != ' ') {
    aligner.at = NextLine(aligner.text, aligner.at);
    SkipIndent(aligner, indent);
  }
  return aligner.at;
}

}  // namespace

Span ScalarSpan(const SourceText& source, std::uint32_t offset, std::string_view value) {
  const std::string_view text = source.text();
  const std::size_t begin = SkipProperties(text, std::min<std::size_t>(offset, text.size()));
  const auto start = static_cast<std::uint32_t>(begin);
  const std::uint32_t line_end = source.LineEnd(start);
  if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) {
    return {start, static_cast<std::uint32_t>(QuotedEnd(text, begin, line_end))};
  }
  if (!value.empty() && text.compare(begin, value.size(), value) == 0) {
    return {start, std::min(line_end, static_cast<std::uint32_t>(begin + value.size()))};
  }
  return {start, line_end};
}

std::uint32_t OffsetInScalar(const SourceText& source, std::uint32_t offset, std::string_view value,
                             std::size_t position) {
  const std::string_view text = source.text();
  Aligner aligner{text, value, SkipProperties(text, std::min<std::size_t>(offset, text.size())), 0};
  if (aligner.at >= text.size()) {
    return static_cast<std::uint32_t>(text.size());
  }
  const char style = text[aligner.at];
  std::size_t found = 0;
  if (style == '|' || style == '>') {
    found = OffsetInBlock(aligner, style == '>', position);
  } else if (style == '"' || style == '\'') {
    ++aligner.at;
    found = OffsetInFlow(aligner, style, position);
  } else {
    found = OffsetInFlow(aligner, '\0', position);
  }
  return static_cast<std::uint32_t>(std::min(found, text.size()));
}

}  // namespace dsl
