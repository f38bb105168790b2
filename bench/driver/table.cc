// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/table.h"

#include <algorithm>

#include <fmt/format.h>

namespace bench::driver {

void Table::Add(std::vector<std::string> row) {
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

std::string Table::ToText() const {
  std::vector<std::size_t> widths(rows_.front().size(), 3);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i == 0 ? fmt::format("| {:<{}} |", row[i], widths[i])
                     : fmt::format(" {:>{}} |", row[i], widths[i]);
    }
    text += '\n';
    if (&row == &rows_.front()) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        text += (i == 0 ? "|-" : "-") + std::string(widths[i], '-') + (i == 0 ? "-|" : ":|");
      }
      text += '\n';
    }
  }
  return text;
}

std::string Seconds(double seconds) {
  return seconds < 0.995 ? fmt::format("{:.3f}", seconds) : fmt::format("{:.2f}", seconds);
}

std::string Ratio(double of, double to) {
  return to <= 0 ? "-" : fmt::format("{:.2f}", of / to);
}

std::string MiB(double bytes) {
  return fmt::format("{:.1f}", bytes / (1024.0 * 1024.0));
}

}  // namespace bench::driver
