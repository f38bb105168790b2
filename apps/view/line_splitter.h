// SPDX-License-Identifier: Apache-2.0
// Cuts the bytes of one step's log into lines, across chunks. Memory stays bounded: a line without
// an end is handed out in pieces of `kLineBytesMax`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace apps::view {

class LineSplitter {
 public:
  static constexpr std::size_t kLineBytesMax = 64 << 10;

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
      } else {
        pending_ += line;
        emit(std::string_view(pending_));
        pending_.clear();
      }
      bytes.remove_prefix(end + 1);
    }
  }

  /// The last line, when it has no newline.
  template <typename Emit>
  void Finish(Emit emit) {
    if (!pending_.empty()) {
      emit(std::string_view(pending_));
      pending_.clear();
    }
  }

 private:
  template <typename Emit>
  void Keep(std::string_view bytes, Emit emit) {
    pending_ += bytes;
    if (pending_.size() >= kLineBytesMax) {
      emit(std::string_view(pending_));
      pending_.clear();
    }
  }

  std::string pending_;
};

}  // namespace apps::view
