// SPDX-License-Identifier: Apache-2.0
// Medians: one slow repetition must not move the figure.
#pragma once

#include <vector>

namespace bench::driver {

/// The middle one; the mean of the two middle ones of an even number; 0 of none.
double Median(std::vector<double> values);

/// Half the distance between the quartiles, over the median: how much to trust it.
double Spread(std::vector<double> values);

}  // namespace bench::driver
