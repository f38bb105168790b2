// SPDX-License-Identifier: Apache-2.0
#include "apps/view/frame.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/view/utf8.h"

namespace apps::view {

StyledLine& StyledLine::Add(std::string_view text, Style style) {
  pieces_.push_back({std::string(text), style, model::Status::kWaiting});
  return *this;
}

StyledLine& StyledLine::Add(std::string_view text, model::Status status) {
  pieces_.push_back({std::string(text), Style::kStatus, status});
  return *this;
}

int StyledLine::width() const {
  int width = 0;
  for (const Piece& piece : pieces_) {
    width += DisplayWidth(piece.text);
  }
  return width;
}

std::string StyledLine::Render(int columns, const Look& look) const {
  std::string line;
  for (const Piece& piece : pieces_) {
    const std::string text = CutToWidth(piece.text, columns);
    columns -= DisplayWidth(text);
    switch (piece.style) {
      case Style::kPlain:
        line += text;
        break;
      case Style::kDim:
        line += Dim(text, look);
        break;
      case Style::kBold:
        line += Bold(text, look);
        break;
      case Style::kStatus:
        line += Paint(text, piece.status, look);
        break;
    }
    if (columns <= 0) {
      break;
    }
  }
  return line;
}

// Rows that the old frame takes now: a terminal that became narrower has wrapped its lines.
std::string Frame::Home(TerminalSize size) const {
  int rows = 0;
  const int columns = std::max(1, size.columns);
  for (const int width : widths_) {
    rows += std::max(1, (width + columns - 1) / columns);
  }
  rows = std::min(rows, std::max(0, size.rows - 1));
  return rows == 0 ? std::string() : fmt::format("\r\x1b[{}A", rows);
}

std::string Frame::Show(const std::vector<StyledLine>& lines, TerminalSize size, const Look& look) {
  std::string text = Home(size);
  const bool same_size = size == size_;
  if (!same_size && !shown_.empty()) {
    text += "\x1b[J";
  }
  std::vector<std::string> next;
  std::vector<int> widths;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // The last column stays free: terminals differ in what they do after it.
    next.push_back(lines[i].Render(std::max(1, size.columns - 1), look));
    widths.push_back(std::min(lines[i].width(), std::max(1, size.columns - 1)));
    if (same_size && i < shown_.size() && shown_[i] == next[i]) {
      text += "\n";
    } else {
      text += next[i] + "\x1b[K\n";
    }
  }
  if (shown_.size() > lines.size()) {
    text += "\x1b[J";
  }
  shown_ = std::move(next);
  widths_ = std::move(widths);
  size_ = size;
  return text;
}

std::string Frame::Clear(TerminalSize size) {
  if (shown_.empty()) {
    return {};
  }
  std::string text = Home(size) + "\x1b[J";
  shown_.clear();
  widths_.clear();
  return text;
}

}  // namespace apps::view
