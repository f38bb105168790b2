// SPDX-License-Identifier: Apache-2.0
// Cuts the bytes of one step's log into lines, across chunks. Memory stays bounded: a line without
// an end is handed out in pieces of `kLineBytesMax`.
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
  /// The next byte to be fed is that of the log; a line that lacks its end is forgotten.
  void StartAt(std::uint64_t offset) {
    pending_.clear();
    line_begin_ = offset;
  }
  /// Where in the log the next byte to be fed is.
  std::uint64_t next_byte() const { return line_begin_ + pending_.size(); }

  /// Calls `emit(std::string_view line)` for each line that is complete, without its newline.
  template <typename Emit>
  void Feed(std::string_view bytes, Emit emit) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        Keep(bytes, emit);
        return;
      }
      const std::string_view line = bytes.substr(0, end);
      if (pending_.empty()) {
        emit(line);
        line_begin_ += line.size() + 1;
      } else {
        pending_ += line;
        emit(std::string_view(pending_));
        StartAt(next_byte() + 1);
      }
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
    if (pending_.size() >= kLineBytesMax) {
      emit(std::string_view(pending_));
      StartAt(next_byte());
    }
  }

  std::string pending_;
  std::uint64_t line_begin_ = 0;
};

}  // namespace apps::view
