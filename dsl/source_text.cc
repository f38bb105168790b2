// SPDX-License-Identifier: Apache-2.0
#include "dsl/source_text.h"

#include <algorithm>
#include <utility>

namespace dsl {
namespace {

constexpr std::uint32_t kBlock = 1024;
constexpr std::uint32_t kExcerptBytes = 160;

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::uint32_t CountContinuations(std::string_view text) {
  return static_cast<std::uint32_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

/// Bytes of the valid sequence at the front of `text`; 0 when there is none.
std::size_t Utf8SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) {
      return 0;
    }
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  const bool bad = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
                   (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
  return bad ? 0 : length;
}

}  // namespace

SourceText::SourceText(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    line_starts_.push_back(static_cast<std::uint32_t>(at + 1));
  }
  if (std::any_of(text_.begin(), text_.end(), IsContinuation)) {
    std::uint32_t count = 0;
    for (std::size_t at = 0; at <= text_.size(); at += kBlock) {
      continuations_.push_back(count);
      count += CountContinuations(std::string_view(text_).substr(at, kBlock));
    }
  }
}

std::uint32_t SourceText::LineStart(std::uint32_t offset) const {
  return *(std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) - 1);
}

std::uint32_t SourceText::ContinuationsBefore(std::uint32_t offset) const {
  if (continuations_.empty()) {
    return 0;
  }
  const std::uint32_t block = offset / kBlock;
  return continuations_[block] +
         CountContinuations(std::string_view(text_).substr(block * kBlock, offset % kBlock));
}

LineColumn SourceText::At(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const std::uint32_t start = *(next - 1);
  const std::uint32_t continuations = ContinuationsBefore(offset) - ContinuationsBefore(start);
  return {static_cast<std::uint32_t>(next - line_starts_.begin()),
          offset - start - continuations + 1};
}

std::uint32_t SourceText::LineEnd(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  std::uint32_t end =
      next == line_starts_.end() ? static_cast<std::uint32_t>(text_.size()) : *next - 1;
  if (end > offset && text_[end - 1] == '\r') {
    --end;
  }
  return end;
}

Excerpt SourceText::ExcerptAt(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  std::uint32_t begin = LineStart(offset);
  std::uint32_t end = LineEnd(offset);
  if (offset - begin > kExcerptBytes) {
    begin = offset - kExcerptBytes / 2;
  }
  end = std::min(end, begin + 2 * kExcerptBytes);
  while (begin < end && IsContinuation(text_[begin])) {
    ++begin;
  }
  while (end > begin && end < text_.size() && IsContinuation(text_[end])) {
    --end;
  }
  return {text_.substr(begin, end - begin), At(begin).column};
}

std::size_t FindInvalidUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = Utf8SequenceLength(text.substr(at, 4));
    if (length == 0) {
      return at;
    }
    at += length;
  }
  return text.size();
}

std::size_t FindControlCharacter(std::string_view text) {
  const auto found = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
           c == 0x7f;
  });
  return static_cast<std::size_t>(found - text.begin());
}

}  // namespace dsl
