// SPDX-License-Identifier: Apache-2.0
// A file's text, and how byte offsets in it map to lines, columns and excerpts for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dsl {

/// Bytes [begin, end) of a source.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// Lines and columns count from 1, columns in code points.
struct LineColumn {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend bool operator==(const LineColumn&, const LineColumn&) = default;
};

/// A line cut to what a terminal can show.
struct Excerpt {
  std::string text;
  std::uint32_t column = 1;  ///< of its first character
};

class SourceText {
 public:
  /// `text` is valid UTF-8 without a byte order mark, or nothing is said about columns.
  SourceText(std::string path, std::string text);

  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }

  /// Constant time but for a binary search, however long the lines are.
  LineColumn At(std::uint32_t offset) const;
  /// Offset of the end of the line that holds `offset`, its line break left out.
  std::uint32_t LineEnd(std::uint32_t offset) const;
  Excerpt ExcerptAt(std::uint32_t offset) const;

 private:
  std::uint32_t LineStart(std::uint32_t offset) const;
  std::uint32_t ContinuationsBefore(std::uint32_t offset) const;

  std::string path_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
  /// UTF-8 continuation bytes before each block of `kBlock` bytes; empty for pure ASCII.
  std::vector<std::uint32_t> continuations_;
};

/// Offset of the first byte that is not valid UTF-8 (RFC 3629); the size when all is valid.
std::size_t FindInvalidUtf8(std::string_view text);
/// Offset of the first control character that YAML forbids (all but tab and line ends); the size
/// when there is none.
std::size_t FindControlCharacter(std::string_view text);

/// Where the scalar that begins at `offset` (perhaps with an anchor or a tag) is written: its first
/// line, quotes included.
Span ScalarSpan(const SourceText& source, std::uint32_t offset, std::string_view value);
/// Where byte `position` of the scalar's value stands in the source, through quotes, escapes and
/// indentation.
std::uint32_t OffsetInScalar(const SourceText& source, std::uint32_t offset, std::string_view value,
                             std::size_t position);

}  // namespace dsl
