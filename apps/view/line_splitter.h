// SPDX-License-Identifier: Apache-2.0
// Cuts the bytes of one step's log into lines, across chunks. Memory stays bounded: a line without
// an end is handed out in pieces of at most `kLineBytesMax`, between two characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace apps::view {

class LineSplitter {
 public:
  static constexpr std::size_t kLineBytesMax = 64 << 10;

  /// Of the line that is handed out, or else of the next one: where in the log it begins.
  std::uint64_t line_begin() const { return line_begin_; }
  /// What is handed out goes on with the line of the piece before it.
  bool continues() const { return continues_; }
  /// The next byte to be fed is that of the log; a line that lacks its end is forgotten.
  void StartAt(std::uint64_t offset) {
    pending_.clear();
    continues_ = false;
    line_begin_ = offset;
  }
  /// Where in the log the next byte to be fed is.
  std::uint64_t next_byte() const { return line_begin_ + pending_.size(); }

  /// Calls `emit(std::string_view line)` for each line that is complete, without its newline.
  template <typename Emit>
  void Feed(std::string_view bytes, Emit emit) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      Keep(bytes.substr(0, end), emit);
      if (end == std::string_view::npos) {
        return;
      }
      End(emit);
      bytes.remove_prefix(end + 1);
    }
  }

  /// The last line, when it has no newline.
  template <typename Emit>
  void Finish(Emit emit) {
    if (!pending_.empty()) {
      emit(std::string_view(pending_));
      StartAt(next_byte());
    }
  }

 private:
  template <typename Emit>
  void Keep(std::string_view bytes, Emit emit) {
    pending_ += bytes;
    while (pending_.size() > kLineBytesMax) {
      const std::size_t piece = PieceOf(pending_);
      emit(std::string_view(pending_).substr(0, piece));
      pending_.erase(0, piece);
      line_begin_ += piece;
      continues_ = true;
    }
  }

  template <typename Emit>
  void End(Emit emit) {
    if (!continues_ || !pending_.empty()) {
      emit(std::string_view(pending_));
    }
    StartAt(next_byte() + 1);
  }

  /// Up to the last character that is whole, if it is text at all.
  static std::size_t PieceOf(std::string_view text) {
    constexpr std::size_t kSequenceMax = 4;
    for (std::size_t end = kLineBytesMax; end > kLineBytesMax - kSequenceMax; --end) {
      if ((static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U) {
        return end;
      }
    }
    return kLineBytesMax;
  }

  std::string pending_;
  std::uint64_t line_begin_ = 0;
  bool continues_ = false;
};

}  // namespace apps::view
