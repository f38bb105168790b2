// SPDX-License-Identifier: Apache-2.0
// How the lines of one step's log look to people: annotations in words, groups as a heading with
// their lines moved in below it. The log itself stays as it was written (`dayfly logs --raw`).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "apps/view/line_splitter.h"
#include "apps/view/utf8.h"

namespace apps::view {

class LogText {
 public:
  static constexpr std::size_t kDepthMax = 8;

  /// `line` without its newline; calls `emit` with each line to show, safe for a terminal: none for
  /// the end of a group, several for a message of several lines.
  template <typename Emit>
  void Show(std::string_view line, Emit emit) {
    if (depth_ == 0 && !line.starts_with("::")) {
      emit(Sanitise(line));
      return;
    }
    for (const std::string& text : Lines(line)) {
      emit(text);
    }
  }

 private:
  std::vector<std::string> Lines(std::string_view line);
  std::string Indented(std::string_view line) const;

  std::size_t depth_ = 0;  ///< groups that are open
};

/// A step's log on its way from bytes to lines to what they look like.
struct OpenLog {
  LineSplitter lines;
  LogText text;
};

}  // namespace apps::view
