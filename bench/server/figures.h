// SPDX-License-Identifier: Apache-2.0
// Times of many events of one kind.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench::server {

using Clock = std::chrono::steady_clock;

/// Of ascending or other values; 0 of none. `share` 0.5: the median.
double Quantile(std::vector<double> values, double share);
double SecondsSince(Clock::time_point begin);
double SecondsOf(const std::function<void()>& work);
/// `1.23 ms`.
std::string Millis(double seconds);

}  // namespace bench::server
