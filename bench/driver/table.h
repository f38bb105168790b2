// SPDX-License-Identifier: Apache-2.0
// Markdown tables with aligned columns, so that output can be read and pasted.
#pragma once

#include <string>
#include <vector>

namespace bench::driver {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  /// Missing cells are empty.
  void Add(std::vector<std::string> row);
  std::string ToText() const;

 private:
  std::vector<std::vector<std::string>> rows_;  ///< the header first
};

/// `0.123`, three digits that matter.
std::string Seconds(double seconds);
std::string Ratio(double of, double to);
std::string MiB(double bytes);

}  // namespace bench::driver
