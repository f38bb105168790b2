// SPDX-License-Identifier: Apache-2.0
#include "bench/server/figures.h"

#include <algorithm>

#include <fmt/format.h>

namespace bench::server {

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) {
    return 0;
  }
  const auto at = std::min(values.size() - 1,
                           static_cast<std::size_t>(share * static_cast<double>(values.size())));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double SecondsOf(const std::function<void()>& work) {
  const Clock::time_point begin = Clock::now();
  work();
  return SecondsSince(begin);
}

std::string Millis(double seconds) {
  return fmt::format("{:.2f} ms", seconds * 1000);
}

}  // namespace bench::server
