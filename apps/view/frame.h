// SPDX-License-Identifier: Apache-2.0
// Lines of a live display and how to put them over the ones that stand there: only lines that
// changed are written, and a terminal that was made narrower or wider in between does not confuse
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/view/run_view.h"
#include "apps/view/summary.h"

namespace apps::view {

/// One line made of pieces that look different. Cutting counts what is seen, not the colour codes.
class StyledLine {
 public:
  enum class Style : std::uint8_t { kPlain, kDim, kBold, kStatus };

  StyledLine& Add(std::string_view text, Style style = Style::kPlain);
  StyledLine& Add(std::string_view text, model::Status status);
  int width() const;
  /// At most `columns` wide.
  std::string Render(int columns, const Look& look) const;

 private:
  struct Piece {
    std::string text;
    Style style;
    model::Status status;
  };
  std::vector<Piece> pieces_;
};

class Frame {
 public:
  /// Text that turns what stands on the terminal into `lines`; the cursor ends below them.
  std::string Show(const std::vector<StyledLine>& lines, TerminalSize size, const Look& look);
  /// Text that wipes the frame away; what is written next stands in its place.
  std::string Clear(TerminalSize size);

 private:
  std::string Home(TerminalSize size) const;

  std::vector<std::string> shown_;
  std::vector<int> widths_;
  TerminalSize size_;
};

}  // namespace apps::view
