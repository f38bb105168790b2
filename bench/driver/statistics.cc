// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/statistics.h"

#include <algorithm>
#include <cstddef>

namespace bench::driver {

double Median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double Spread(std::vector<double> values) {
  const double median = Median(values);
  if (values.size() < 4 || median <= 0) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  return (values[values.size() * 3 / 4] - values[values.size() / 4]) / 2 / median;
}

}  // namespace bench::driver
